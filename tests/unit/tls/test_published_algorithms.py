import pytest

from pqbed.spec.published_tables import read_published_rows
from pqbed.tls.certificate_keys import KEY_KINDS
from pqbed.tls.group_names import canonical_group
from pqbed.tls.published_algorithms import (
    GROUPS_NAME,
    SIGNATURES_NAME,
    published_groups,
    published_signatures,
    signatures_by_key,
)


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("X25519", "x25519"),
        ("prime256v1", "secp256r1"),
        (" P-384 ", "secp384r1"),
        ("0x11ec", "X25519MLKEM768"),
        ("0x11EC", "X25519MLKEM768"),
        ("0x001d", "x25519"),
        ("0x1d", "x25519"),
        ("x25519mlkem768", "X25519MLKEM768"),
        ("ffdhe2048", "ffdhe2048"),
        ("brainpoolP256r1tls13", "brainpoolP256r1tls13"),
        ("0x6399", "0x6399"),
    ],
)
def test_a_group_has_one_name_whatever_is_printed(printed: str, name: str) -> None:
    assert canonical_group(printed) == name


@pytest.mark.parametrize("table", [GROUPS_NAME, SIGNATURES_NAME])
def test_every_row_has_a_source_and_says_what_it_was_checked_with(table: str) -> None:
    rows = read_published_rows(table)
    assert len({row["name"] for row in rows}) == len(rows)
    assert all(row["source"] and row["standard"] and row["checked"] for row in rows)


def test_a_hybrid_is_the_sum_of_its_parts() -> None:
    groups = published_groups()
    for hybrid, parts in {
        "X25519MLKEM768": ("x25519", "MLKEM768"),
        "SecP256r1MLKEM768": ("secp256r1", "MLKEM768"),
        "SecP384r1MLKEM1024": ("secp384r1", "MLKEM1024"),
    }.items():
        whole = groups[hybrid]
        assert whole.public_key_bytes == sum(groups[part].public_key_bytes for part in parts)
        assert whole.ciphertext_bytes == sum(groups[part].ciphertext_bytes for part in parts)


def test_the_wire_has_the_framing_of_rfc_8446() -> None:
    assert published_groups()["X25519MLKEM768"].wire_bytes == (4 + 2 + 4 + 1216) + (4 + 4 + 1120)
    assert signatures_by_key()["mldsa65"].verify_wire_bytes == 4 + 4 + 3309
    assert signatures_by_key()["mldsa65"].certificate_bytes == 1952 + 3309


def test_every_kind_of_key_that_openssl_is_asked_for_is_in_the_table() -> None:
    assert set(KEY_KINDS) == set(signatures_by_key())


def test_slh_dsa_has_no_codepoint_in_tls() -> None:
    sets = [one for one in published_signatures().values() if one.standard == "FIPS 205"]
    assert len(sets) == 12
    assert {(one.scheme, one.codepoint, one.verify_wire_bytes) for one in sets} == {(None, None, None)}
