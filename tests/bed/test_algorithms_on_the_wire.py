"""The published sizes against what the stack puts on the wire and into certificates: every group, every kind of key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.algorithm_table.algorithm_rows import select_rows, tabulate_algorithms, with_cpu_times
from pqbed.algorithm_table.stack_algorithms import probe_stack
from pqbed.beds.stack_programs import RunProgram, programs_of_root
from pqbed.tls.certificate_keys import KEY_KINDS
from pqbed.tls.published_algorithms import (
    Group,
    SignatureAlgorithm,
    published_groups,
    published_signatures,
    signatures_by_key,
)
from pqbed.tls.tls_records import Record
from support.chain_kinds import ALGORITHMS
from support.der import read_certificate
from support.hellos import client_shares, key_share_extension, server_share

pytestmark = pytest.mark.uml

# An ECDSA signature is shorter than its longest by the leading zeros of two numbers: 4 bytes in 2^32 cases.
SHORTER_BYTES = 5
EXTENSION_HEADER_BYTES = 4


@pytest.fixture(scope="module")
def rows(uml_guest_run: Callable[..., list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    said = uml_guest_run(Path(__file__).with_name("guest_wire_sizes.py"), "algorithms")
    return {row["served"]["profile"]["name"]: row for row in said[1:]}


def test_the_stack_has_all_that_was_checked_on_the_wire(rows: dict[str, dict[str, Any]]) -> None:
    assert list(rows) == [profile.name for profile in ALGORITHMS]
    assert {name for name, row in rows.items() if row["timings"]["outcome"] != "ok"} == set()
    checked = {one.name for one in published_groups().values() if "wire" in one.checked}
    checked |= {one.key for one in published_signatures().values() if "wire" in one.checked}
    assert checked == set(rows)


@pytest.mark.parametrize("group", published_groups().values(), ids=lambda group: group.name)
def test_key_shares_have_the_published_sizes(rows: dict[str, dict[str, Any]], group: Group) -> None:
    client, server = (key_share_extension(bytes.fromhex(hello)) for hello in rows[group.name]["hellos"])
    ((client_codepoint, client_key),) = client_shares(client)
    server_codepoint, server_key = server_share(server)
    assert client_codepoint == server_codepoint == group.codepoint
    assert (len(client_key), len(server_key)) == (group.public_key_bytes, group.ciphertext_bytes)
    assert len(client) + len(server) + 2 * EXTENSION_HEADER_BYTES == group.wire_bytes


@pytest.mark.parametrize("signature", signatures_by_key().values(), ids=lambda one: one.key)
def test_certificate_verify_has_the_published_size(
    rows: dict[str, dict[str, Any]], signature: SignatureAlgorithm
) -> None:
    row = rows[signature.key]
    assert row["served"]["signature"] == signature.scheme
    # EncryptedExtensions, Certificate (in parts where it is long), CertificateVerify, Finished.
    records = [Record(**record) for record in row["down"]]
    flight_end = row["flights"][1]
    sealed = [record for record in records if record.kind == "application_data" and record.end <= flight_end]
    verify = sealed[-2].content_bytes
    assert signature.verify_wire_bytes is not None
    assert signature.verify_wire_bytes - signature.varies * SHORTER_BYTES <= verify <= signature.verify_wire_bytes


@pytest.fixture(scope="module")
def run(uml_guest: Any) -> RunProgram:
    return programs_of_root(uml_guest.root)


@pytest.mark.parametrize("signature", published_signatures().values(), ids=lambda one: one.name)
def test_a_certificate_holds_a_key_and_a_signature_of_the_published_sizes(
    run: RunProgram, signature: SignatureAlgorithm, tmp_path: Path
) -> None:
    newkey = KEY_KINDS[signature.key].newkey if signature.key else (signature.name,)
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = ["openssl", "req", "-x509", "-batch", "-noenc", "-subj", "/CN=x", "-outform", "DER"]
    run((*command, "-newkey", *newkey, "-keyout", str(key), "-out", str(certificate)), 60)
    public_key, proof = read_certificate(certificate.read_bytes())
    assert len(public_key) == signature.public_key_bytes
    shortest = signature.signature_bytes - signature.varies * SHORTER_BYTES
    assert shortest <= len(proof) <= signature.signature_bytes


def test_the_stack_provides_the_whole_table_and_says_what_is_beyond(run: RunProgram) -> None:
    rows = tabulate_algorithms(probe_stack(run), None)
    assert {row.provider for row in rows} == {"default"}
    beyond = {row.name for row in rows if row.source is None}
    assert "brainpoolP256r1tls13" in beyond
    assert "rsa_pss_pss_sha256" in beyond


def test_cpu_time_is_that_of_three_operations_of_a_group(run: RunProgram) -> None:
    (row,) = select_rows(tabulate_algorithms(probe_stack(run), None), "group", "x25519mlkem768")
    named: list[str] = []
    (row,) = with_cpu_times((row,), run, named.append)
    assert named == ["X25519MLKEM768"]
    assert set(row.operations_ns) == {"keygen", "encaps", "decaps"}
    assert all(1_000 < value_ns < 1_000_000_000 for value_ns in row.operations_ns.values())
