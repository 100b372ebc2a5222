import csv
import json
from pathlib import Path
from typing import Any

import pytest

PUBLISHED = Path(__file__).parents[3] / "results" / "published"
SIZES = ("public_key_bytes", "ciphertext_bytes", "signature_bytes", "level")


def published(name: str) -> list[dict[str, str]]:
    with (PUBLISHED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> int | None:
    return int(text, 0) if text else None


@pytest.mark.parametrize(("kind", "table"), [("group", "tls-groups"), ("signature", "tls-signatures")])
def test_every_row_says_what_was_published(pqbed: Any, kind: str, table: str) -> None:
    ended = pqbed("algorithms", "--kind", kind, "--json")
    assert ended.code == 0
    rows = {row["name"]: row for row in json.loads(ended.out)["algorithms"]}
    assert list(rows) == [one["name"] for one in published(table)]
    for one in published(table):
        row = rows[one["name"]]
        assert row["kind"] == kind
        assert row["codepoint"] == number(one["codepoint"])
        assert {name: row[name] for name in SIZES if name in one} == {
            name: number(one[name]) for name in SIZES if name in one
        }
        assert (row["standard"], row["source"]) == (one["standard"], one["source"])


def test_where_no_stack_is_built_its_columns_are_empty_and_it_is_said(pqbed: Any) -> None:
    ended = pqbed("algorithms")
    assert ended.code == 0
    assert "the stack is not built" in ended.out
    assert {row["provider"] for row in json.loads(pqbed("algorithms", "--json").out)["algorithms"]} == {None}


def test_cpu_time_needs_the_stack(pqbed: Any) -> None:
    ended = pqbed("algorithms", "--cpu")
    assert (ended.code, ended.out) == (3, "")
    assert "pqbed build" in ended.err


def test_rows_are_chosen_by_kind_and_by_any_part_of_a_name(pqbed: Any) -> None:
    def names(*arguments: str) -> list[str]:
        return [row["name"] for row in json.loads(pqbed("algorithms", *arguments, "--json").out)["algorithms"]]

    assert names("MLDSA65") == ["ML-DSA-65"]
    assert names("rsa_pss", "--kind", "signature") == ["RSA-PSS 2048", "RSA-PSS 3072", "RSA-PSS 4096"]
    assert names("25519") == ["x25519", "X25519MLKEM768", "Ed25519"]


def test_a_plain_table_says_what_is_at_most_and_what_tls_has_not(pqbed: Any) -> None:
    lines = pqbed("algorithms", "--kind", "signature").out.splitlines()
    ecdsa = next(line for line in lines if line.startswith("ECDSA P-256"))
    assert "<=72" in ecdsa
    slh = next(line for line in lines if line.startswith("SLH-DSA-SHA2-128s"))
    words = ["-", "-", "32", "7,856", "-", "7,888", "1", "FIPS", "205", "-", "certificate,", "liboqs", "0.15.1"]
    assert slh.split()[1:] == words


@pytest.mark.parametrize(
    ("arguments", "says"), [(("--kind", "kem"), "no kind 'kem'"), (("kyber",), "no algorithm has 'kyber'")]
)
def test_what_there_is_not_is_refused(pqbed: Any, arguments: tuple[str, ...], says: str) -> None:
    ended = pqbed("algorithms", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "hint" in ended.err
