import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pqbed.algorithm_table.algorithm_rows import tabulate_algorithms
from pqbed.algorithm_table.liboqs_sizes import Liboqs, Sizes, find_library
from pqbed.algorithm_table.openssl_speed import read_speed
from pqbed.algorithm_table.stack_algorithms import probe_stack
from pqbed.errors import PqbedError
from pqbed.tls.published_algorithms import published_groups, published_signatures

# Lines of OpenSSL 3.5.9, and one as a second provider would add it.
SAID = {
    "version": "OpenSSL 3.5.9 29 Sep 2026 (Library: OpenSSL 3.5.9 29 Sep 2026)\n",
    "-key-managers": """\
  Name: OpenSSL RSA implementation
    Type: Provider Algorithm
    IDs: { 1.2.840.113549.1.1.1, 2.5.8.1.1, RSA, rsaEncryption } @ default
  Name: OpenSSL EC implementation
    IDs: { 1.2.840.10045.2.1, EC, id-ecPublicKey } @ default
  Name: OpenSSL X25519 implementation
    IDs: { 1.3.101.110, X25519 } @ default
  Name: X25519+ML-KEM-768 TLS hybrid implementation
    IDs: X25519MLKEM768 @ default
  Name: OpenSSL SLH-DSA-SHA2-128s implementation
    IDs: { 2.16.840.1.101.3.4.3.20, id-slh-dsa-sha2-128s, SLH-DSA-SHA2-128s } @ default
    IDs: frodo640aes @ oqsprovider
""",
    "-tls-groups": "secp256r1:x25519:brainpoolP256r1tls13:X25519MLKEM768:frodo640aes\n",
    "-tls-signature-algorithms": "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_sha1:dsa_sha256\n",
}


def test_the_stack_says_whose_each_algorithm_is_and_what_the_table_has_not() -> None:
    probe = probe_stack(lambda argv, _timeout_s: SAID[argv[-1]])
    assert probe.version == "OpenSSL 3.5.9 29 Sep 2026"
    rows = {row.name: row for row in tabulate_algorithms(probe, None)}
    provided = {name: row.provider for name, row in rows.items() if row.provider}
    assert provided == {
        "secp256r1": "default",
        "x25519": "default",
        "X25519MLKEM768": "default",
        "brainpoolP256r1tls13": "default",
        "frodo640aes": "oqsprovider",
        "RSA-PSS 2048": "default",
        "RSA-PSS 3072": "default",
        "RSA-PSS 4096": "default",
        "ECDSA P-256": "default",
        "SLH-DSA-SHA2-128s": "default",
    }
    beyond = rows["frodo640aes"]
    assert (beyond.codepoint, beyond.public_key_bytes, beyond.ciphertext_bytes, beyond.wire_bytes) == (None,) * 4
    assert beyond.checked == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("+F9:13:20000.0:10000.0:40000.0", {"keygen": 50_000, "encaps": 100_000, "decaps": 25_000}),
        ("+F10:10:10000.0:1000.0:8000.0", {"keygen": 100_000, "sign": 1_000_000, "verify": 125_000}),
        ("+F10:10:10000.0:0.000000:8000.0", {"keygen": 100_000, "verify": 125_000}),
        ("+F4:3:256:50000.0:20000.0", {"sign": 20_000, "verify": 50_000}),
        ("+F6:1:456:Ed448:5000.0:4000.0", {"sign": 200_000, "verify": 250_000}),
        ("+DTP:ML-KEM-768:keygen:1", {}),
    ],
)
def test_rates_of_openssl_speed_are_times_of_one_operation(line: str, found: dict[str, float]) -> None:
    assert read_speed(f"version: 3.5.9\n{line}\n").operations_ns == pytest.approx(found)


def liboqs_of_the_standards() -> dict[str, Sizes]:
    groups = {
        one.liboqs: Sizes(public_key_bytes=one.public_key_bytes, second_bytes=one.ciphertext_bytes)
        for one in published_groups().values()
        if one.liboqs
    }
    signatures = {
        one.liboqs: Sizes(public_key_bytes=one.public_key_bytes, second_bytes=one.signature_bytes)
        for one in published_signatures().values()
        if one.liboqs
    }
    return groups | signatures


def test_what_liboqs_says_too_is_marked_with_its_version_and_nothing_else_is() -> None:
    rows = tabulate_algorithms(None, Liboqs(version="9.9.9", sizes=liboqs_of_the_standards()))
    marked = {row.name for row in rows if "liboqs 9.9.9" in row.checked}
    assert len(marked) == 18
    assert marked == {row.name for row in rows if row.standard in {"FIPS 203", "FIPS 204", "FIPS 205"}}


@pytest.mark.parametrize("name", ["ML-KEM-768", "ML-DSA-65", "SLH_DSA_PURE_SHA2_128S"])
@pytest.mark.parametrize("field", ["public_key_bytes", "second_bytes"])
def test_another_size_in_liboqs_is_an_error_that_names_both(name: str, field: str) -> None:
    sizes = liboqs_of_the_standards()
    sizes[name] = replace(sizes[name], **{field: 7})
    with pytest.raises(PqbedError, match=r"liboqs 9\.9\.9 says .*7.* bytes of .*FIPS"):
        tabulate_algorithms(None, Liboqs(version="9.9.9", sizes=sizes))


def test_a_library_is_looked_for_where_liboqs_python_looks(tmp_path: Path) -> None:
    assert find_library({}, tmp_path) is None
    library = tmp_path / "_oqs" / "lib64" / "liboqs.so"
    library.parent.mkdir(parents=True)
    library.touch()
    assert find_library({}, tmp_path) == str(library)
    assert find_library({"OQS_INSTALL_PATH": str(tmp_path / "elsewhere")}, tmp_path) is None
    assert find_library({"OQS_INSTALL_PATH": str(tmp_path / "_oqs")}, Path("/nowhere")) == str(library)


ASK = (
    "import sys; from pqbed.algorithm_table.liboqs_sizes import probe_liboqs; "
    "print(probe_liboqs().reason); print('oqs' in sys.modules)"
)


def ask(folder: Path, home: Path) -> list[str]:
    """Ask in a process of its own, where `import oqs` would end it: as it does without a library and a network."""
    (folder / "oqs").mkdir(exist_ok=True)
    (folder / "oqs" / "__init__.py").write_text("raise SystemExit('imported')")
    environment = {**os.environ, "PYTHONPATH": str(folder), "HOME": str(home)}
    environment.pop("OQS_INSTALL_PATH", None)
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_without_a_library_liboqs_python_is_never_imported(tmp_path: Path) -> None:
    assert ask(tmp_path, tmp_path) == ["liboqs not found: not checked", "False"]


def test_a_library_that_does_not_load_is_not_handed_to_liboqs_python(tmp_path: Path) -> None:
    library = tmp_path / "_oqs" / "lib" / "liboqs.so"
    library.parent.mkdir(parents=True)
    library.write_text("no library")
    said, imported = ask(tmp_path, tmp_path)
    assert said.startswith("liboqs does not load (")
    assert said.endswith("): not checked")
    assert imported == "False"
