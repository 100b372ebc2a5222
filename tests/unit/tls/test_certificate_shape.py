import shutil
import ssl
from pathlib import Path

import pytest

from pqbed.errors import SpecError
from pqbed.spec.profile import Chain, ChainCertificate
from pqbed.tls.certificate_chains import make_chain
from pqbed.tls.certificate_shape import chain_of, read_shapes

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
KEYS = ("p256", "rsa2048", "rsa3072", "p384", "p521", "ed25519", "ed448")
EVERY = Chain(certificate=tuple(ChainCertificate(algorithm=key) for key in KEYS), root="rsa4096", scts=3, sct_bytes=150)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_chain(EVERY, tmp_path_factory.mktemp("made") / "chain").sent


@needs_openssl
def test_keys_signatures_sizes_and_scts_are_read_from_the_certificates(pem: Path) -> None:
    shapes = read_shapes(pem)
    assert tuple(shape.algorithm for shape in shapes) == KEYS
    assert tuple(shape.issuer for shape in shapes) == EVERY.issuers
    assert [shape.scts for shape in shapes] == [(150, 150, 150), *[()] * 6]
    blocks = [block + "-----END CERTIFICATE-----\n" for block in pem.read_text().split("-----END CERTIFICATE-----\n")]
    assert [shape.der_bytes for shape in shapes] == [len(ssl.PEM_cert_to_DER_cert(block)) for block in blocks[:-1]]
    assert not any(shape.self_signed for shape in shapes)


@needs_openssl
def test_a_chain_of_the_same_shape_has_the_same_size(pem: Path, tmp_path: Path) -> None:
    chain = chain_of(read_shapes(pem))
    assert [one.algorithm for one in chain.sent] == [*KEYS]
    assert (chain.root, chain.scts, chain.sct_bytes) == ("rsa4096", 3, 150)
    # Signatures by ECDSA vary by some bytes, those of two certificates here.
    assert make_chain(chain, tmp_path / "again").wire_bytes == pytest.approx(
        make_chain(EVERY, tmp_path / "first").wire_bytes, abs=12
    )


@needs_openssl
def test_a_larger_chain_of_the_web_is_made_again_to_the_byte(tmp_path: Path) -> None:
    ed25519 = ChainCertificate(algorithm="ed25519")
    web = Chain(certificate=(ed25519, ed25519), scts=2, wire_bytes=3_000)
    first = make_chain(web, tmp_path / "first")
    assert make_chain(chain_of(read_shapes(first.sent)), tmp_path / "again").wire_bytes == first.wire_bytes == 3_000


@needs_openssl
def test_a_root_is_seen_to_be_self_signed(tmp_path: Path) -> None:
    root = make_chain(Chain(algorithm="p256"), tmp_path / "chain").root
    assert [shape.self_signed for shape in read_shapes(root)] == [True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no certificate", "holds 0 certificates in PEM"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "certificate 1 of .* is no X.509 certificate"),
        ("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----", "is no X.509 certificate"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "is no X.509 certificate"),
    ],
)
def test_what_is_no_chain_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "chain.pem"
    path.write_text(text)
    with pytest.raises(SpecError, match=words):
        read_shapes(path)


@needs_openssl
def test_a_damaged_certificate_is_refused_or_read_and_never_an_error_of_another_kind(pem: Path, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(pem.read_text().partition("-----END")[0] + "-----END CERTIFICATE-----\n")
    path = tmp_path / "chain.pem"
    refusals = []
    for place in range(0, len(der), 3):
        for damaged in (der[:place], der[:place] + bytes([der[place] ^ 0xFF]) + der[place + 1 :]):
            path.write_text(ssl.DER_cert_to_PEM_cert(damaged))
            try:
                read_shapes(path)
            except SpecError as error:
                refusals.append(error.message)
    assert all(str(path) in refusal for refusal in refusals)
    assert len(refusals) > len(der) / 3


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        read_shapes(tmp_path / "none.pem")


def test_more_certificates_than_a_chain_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n" * 9)
    with pytest.raises(SpecError, match="holds 9 certificates"):
        read_shapes(path)
