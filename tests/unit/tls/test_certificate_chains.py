import re
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.errors import SpecError
from pqbed.spec.link_sides import Side
from pqbed.spec.profile import Chain, ChainCertificate, Profile, chain_text
from pqbed.tls.certificate_chains import certificate_message_bytes, make_chain
from pqbed.tls.certificate_padding import EMPTY_EXTENSION_BYTES, EXTENSION_OID, split_padding
from pqbed.tls.migrate_chain import migrate_chain
from pqbed.tls.sct_extension import sct_extension_bytes
from pqbed.tls.stack_support import Support, refuse_unknown_names

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
P256 = Chain(algorithm="p256")
THREE = Chain(certificate=tuple(ChainCertificate(algorithm=key) for key in ("p256", "rsa2048", "rsa4096")), scts=2)
SIZED = Chain(certificate=tuple(ChainCertificate(algorithm="p256", der_bytes=size) for size in (700, 900)))
# 2.16.840.1.113730.1.13 in DER, with its tag and length.
NETSCAPE_COMMENT = bytes.fromhex("06096086480186f842010d")


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        (Chain(algorithm="mldsa65"), "mldsa65"),
        (Chain(algorithm="mldsa65", depth=3), "mldsa65"),
        (Chain(algorithm="mldsa44", intermediate="mldsa65"), "mldsa44+mldsa65"),
        (Chain(algorithm="mldsa44", intermediate="mldsa44"), "mldsa44"),
        (Chain(algorithm="mldsa44", intermediate="mldsa65", depth=4), "mldsa44+mldsa65x3"),
        (Chain(algorithm="rsa2048", wire_bytes=16_000), "rsa2048x2+pad16000"),
        (Chain(algorithm="mldsa44", intermediate="mldsa65", wire_bytes=20_000), "mldsa44+mldsa65+pad20000"),
        (THREE, "p256+rsa2048+rsa4096+sct2x119"),
        (replace(THREE, root="p384", wire_bytes=5_000), "p256+rsa2048+rsa4096+root-p384+sct2x119+pad5000"),
        (SIZED, "p256-700+p256-900"),
        (Chain(algorithm="mldsa65", root="mldsa87"), "mldsa65+root-mldsa87"),
    ],
)
def test_a_chain_has_a_readable_name(chain: Chain, text: str) -> None:
    assert chain_text(chain) == text


def test_the_client_sends_a_chain_only_in_mutual_profiles() -> None:
    plain = Profile(name="a", group="X25519", chain=P256)
    mutual = Profile(name="a", group="X25519", chain=P256, mutual=True)
    other = Profile(name="a", group="X25519", chain=P256, mutual=True, client_chain=Chain(algorithm="rsa2048"))
    assert plain.clients_chain is None
    assert mutual.clients_chain == P256
    assert other.clients_chain == Chain(algorithm="rsa2048")


@pytest.mark.parametrize(("missing", "certificates"), [(6_000, 2), (6_001, 2), (100, 1), (41, 3), (98_000, 8)])
def test_padding_is_shared_evenly_and_the_leaf_takes_the_rest(missing: int, certificates: int) -> None:
    leaf, *others = split_padding(missing, certificates)
    assert len(others) == certificates - 1
    assert leaf >= 1
    if missing > 1_000:
        assert len(set(others)) <= 1
        assert 0 <= leaf - others[0] < certificates
    elif others:
        assert not any(others)


@needs_openssl
@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("wire_bytes", [2_500, 16_000, 102_404])
def test_a_chain_is_padded_to_the_byte(tmp_path: Path, depth: int, wire_bytes: int) -> None:
    chain = Chain(algorithm="ed25519", depth=depth, wire_bytes=wire_bytes)
    files = make_chain(chain, tmp_path / "chain")
    pems = pems_of(files.sent)
    assert files.wire_bytes == certificate_message_bytes(pems) == wire_bytes
    assert len(pems) == depth
    sizes = [len(ssl.PEM_cert_to_DER_cert(pem)) for pem in pems]
    assert max(sizes) - min(sizes) < 200


@needs_openssl
def test_a_size_below_that_of_the_plain_chain_is_refused_with_the_least_that_can_be_had(tmp_path: Path) -> None:
    chain = Chain(algorithm="ed25519", wire_bytes=700)
    told = r"ed25519x2\+pad700 cannot be made, since unpadded the chain has \d+ bytes"
    with pytest.raises(SpecError, match=told) as caught:
        make_chain(chain, tmp_path / "chain")
    least = int(re.findall(r"ask for (\d+) or more", caught.value.hint)[0])
    assert make_chain(replace(chain, wire_bytes=least), tmp_path / "least").wire_bytes == least


@needs_openssl
def test_the_least_padding_that_is_shared_is_an_extension_and_as_much_content_for_each_certificate() -> None:
    assert split_padding(2 * 3 * EMPTY_EXTENSION_BYTES, 3) == (EMPTY_EXTENSION_BYTES,) * 3
    assert split_padding(2 * 3 * EMPTY_EXTENSION_BYTES - 1, 3)[1:] == (0, 0)


def test_a_size_within_one_per_cent_of_the_plain_chain_is_had_without_padding(tmp_path: Path) -> None:
    plain = make_chain(Chain(algorithm="ed25519"), tmp_path / "plain").wire_bytes
    near = make_chain(Chain(algorithm="ed25519", wire_bytes=plain - 5), tmp_path / "near")
    assert near.wire_bytes == plain


@needs_openssl
@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("chain", [P256, Chain(algorithm="p256", intermediate="rsa2048", depth=3, wire_bytes=16_000)])
def test_a_chain_is_valid_for_its_side(tmp_path: Path, chain: Chain, side: Side) -> None:
    files = make_chain(chain, tmp_path / "chain", side)
    for purpose in ("sslserver", "sslclient"):
        command = [
            "openssl",
            "verify",
            "-CAfile",
            str(files.root),
            "-untrusted",
            str(files.sent),
            "-purpose",
            purpose,
            str(files.sent),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode == 0) == (purpose == f"ssl{side}")


@needs_openssl
def test_the_intermediates_and_the_root_share_their_algorithm(tmp_path: Path) -> None:
    files = make_chain(Chain(algorithm="p256", intermediate="rsa2048", depth=3), tmp_path / "chain")
    keys = [text_of(pem).partition("Public Key Algorithm: ")[2].split()[0] for pem in pems_of(files.sent)]
    assert keys == ["id-ecPublicKey", "rsaEncryption", "rsaEncryption"]
    assert "rsaEncryption" in text_of(files.root.read_text())


@needs_openssl
def test_a_chain_has_the_certificates_that_are_named_and_its_leaf_the_scts(tmp_path: Path) -> None:
    files = make_chain(replace(THREE, root="p384"), tmp_path / "chain")
    leaf, first, second = map(text_of, pems_of(files.sent))
    assert "256 bit" in leaf
    assert "Signature Algorithm: sha256WithRSA" in leaf
    assert "Public-Key: (2048 bit)" in first
    assert "Public-Key: (4096 bit)" in second
    assert "ecdsa-with-SHA256" in second
    assert "384 bit" in text_of(files.root.read_text())
    assert leaf.count("Signed Certificate Timestamp:") == 2
    assert "CT Precertificate SCTs" not in first + second
    run = ["openssl", "verify", "-CAfile", str(files.root), "-untrusted", str(files.sent), str(files.sent)]
    assert subprocess.run(run, capture_output=True, check=False).returncode == 0


@needs_openssl
@pytest.mark.parametrize("sct_bytes", [119, 2_467])
def test_scts_add_the_bytes_of_their_extension(tmp_path: Path, sct_bytes: int) -> None:
    plain = Chain(algorithm="ed25519", depth=1, wire_bytes=2_000)
    padded = replace(plain, wire_bytes=None, scts=3, sct_bytes=sct_bytes)
    without = make_chain(replace(plain, wire_bytes=None), tmp_path / "plain").wire_bytes
    # The two lengths above the extension grow by a byte each where it makes them longer than 255.
    grown = make_chain(padded, tmp_path / "scts").wire_bytes - without
    assert grown - sct_extension_bytes(padded) in range(7)
    assert sct_extension_bytes(padded) - 3 * (sct_bytes + 2) in range(20, 32)


@needs_openssl
def test_a_certificate_is_padded_to_its_own_size(tmp_path: Path) -> None:
    ed25519 = tuple(ChainCertificate(algorithm="ed25519", der_bytes=size) for size in (700, 1_900))
    files = make_chain(Chain(certificate=ed25519), tmp_path / "chain")
    assert [len(ssl.PEM_cert_to_DER_cert(pem)) for pem in pems_of(files.sent)] == [700, 1_900]


@needs_openssl
def test_a_certificate_cannot_be_smaller_than_it_is_unpadded(tmp_path: Path) -> None:
    chain = Chain(certificate=(ChainCertificate(algorithm="ed25519", der_bytes=300),))
    with pytest.raises(SpecError, match=r"der_bytes: certificate 1 of ed25519-300x?1? cannot be made"):
        make_chain(chain, tmp_path / "chain")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a chain has no algorithm"),
        ({"certificate": THREE.certificate, "algorithm": "p384"}, "names each certificate has algorithm"),
        ({"certificate": THREE.certificate, "depth": 4}, "names each certificate has algorithm"),
        ({"certificate": THREE.certificate, "intermediate": "p256"}, "names each certificate has algorithm"),
        ({"certificate": SIZED.certificate, "wire_bytes": 9_000}, "has wire_bytes, and so have"),
    ],
)
def test_a_chain_is_said_in_one_way(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        Chain(**fields)


def test_each_certificate_is_signed_by_the_one_above_it() -> None:
    assert replace(THREE, root="p384").issuers == ("rsa2048", "rsa4096", "p384")
    assert THREE.issuers == ("rsa2048", "rsa4096", "rsa4096")
    assert Chain(algorithm="mldsa44", intermediate="mldsa65", depth=3).issuers == ("mldsa65",) * 3
    assert Chain(algorithm="mldsa44", root="mldsa87").algorithms == ("mldsa44", "mldsa87")


def test_a_migrated_chain_grows_by_keys_and_signatures() -> None:
    sized = Chain(certificate=SIZED.certificate, scts=2)
    migrated = migrate_chain(sized, "mldsa44")
    grown = (1312 - 65) + (2420 - 72)
    assert [one.der_bytes for one in migrated.certificate] == [700 + grown + 2 * (2420 - 72), 900 + grown]
    assert migrated.sct_bytes == 47 + 2420
    kept = migrate_chain(sized, "mldsa44", scts=False)
    assert (kept.sct_bytes, kept.certificate[0].der_bytes) == (119, 700 + grown)


@needs_openssl
def test_padding_is_not_critical(tmp_path: Path) -> None:
    files = make_chain(Chain(algorithm="p256", wire_bytes=4_000), tmp_path / "chain")
    for pem in pems_of(files.sent):
        assert "Netscape Comment: \n" in text_of(pem)


@needs_openssl
def test_padding_has_an_object_identifier_that_every_stack_reads(tmp_path: Path) -> None:
    """Go (crypto/x509) and Botan refuse a certificate with an arc that does not fit into an integer of theirs."""
    files = make_chain(Chain(algorithm="p256", wire_bytes=4_000), tmp_path / "chain")
    for pem in pems_of(files.sent):
        assert NETSCAPE_COMMENT in ssl.PEM_cert_to_DER_cert(pem)
    assert max(map(int, EXTENSION_OID.split("."))) < 2**31


@needs_openssl
def test_the_same_chain_has_the_same_size_every_time(tmp_path: Path) -> None:
    chain = Chain(algorithm="ed25519")
    assert len({make_chain(chain, tmp_path / str(number)).wire_bytes for number in range(3)}) == 1


def test_support_asks_for_every_algorithm_of_both_chains() -> None:
    support = Support(version="OpenSSL 9", groups=("x25519",), signatures=("ecdsa_secp256r1_sha256",))
    plain = Profile(name="a", group="X25519", chain=P256)
    assert support.reason_against(plain) == ""
    for chains in (
        {"chain": Chain(algorithm="p256", intermediate="mldsa65")},
        {"chain": P256, "mutual": True, "client_chain": Chain(algorithm="mldsa65")},
    ):
        profile = Profile(name="a", group="X25519", **chains)
        assert support.reason_against(profile) == (
            "OpenSSL 9 has no signature algorithm mldsa65: asked for them, it listed ecdsa_secp256r1_sha256"
        )


def pems_of(path: Path) -> list[str]:
    return [part + "-----END CERTIFICATE-----\n" for part in path.read_text().split("-----END CERTIFICATE-----\n")[:-1]]


def text_of(pem: str) -> str:
    done = subprocess.run(["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("version", "signatures", "supported"),
    [
        ("OpenSSL 3.5.5 27 Jan 2026", ("mldsa44", "mldsa65"), True),
        ("OpenSSL 3.0.19 27 Jan 2026", ("ecdsa_secp256r1_sha256",), False),
        ("go1.27.4", ("mldsa44", "mldsa65"), False),
    ],
)
def test_a_root_of_slh_dsa_needs_an_openssl_that_has_it(
    version: str, signatures: tuple[str, ...], supported: bool
) -> None:
    support = Support(version=version, groups=("x25519",), signatures=(*signatures, "ecdsa_secp256r1_sha256"))
    chain = Chain(algorithm="p256", root="SLH-DSA-SHA2-128s")
    profile = Profile(name="a", group="X25519", chain=chain)
    assert (support.reason_against(profile) == "") == supported
    refuse_unknown_names([profile], support.signatures)
    with pytest.raises(SpecError, match="there is no certificate algorithm 'SLH-DSA-SHA2-127s'"):
        refuse_unknown_names([replace(profile, chain=replace(chain, root="SLH-DSA-SHA2-127s"))], support.signatures)
