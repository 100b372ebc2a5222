"""Mutual TLS between agents that only share a channel, as in the docker bed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.uml

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows(uml_guest_run: Callable[..., Rows]) -> Rows:
    return uml_guest_run(Path(__file__).with_name("guest_mutual_parts.py"))


def test_the_client_proves_itself_where_the_profile_says_so(rows: Rows) -> None:
    fetched = [(row["profile"], row["timings"]["outcome"]) for row in rows if "timings" in row]
    assert fetched[:-1] == [(name, "ok") for name in ("mutual", "plain", "other", "mutual", "plain")]


def test_a_client_that_proves_nothing_is_refused(rows: Rows) -> None:
    (stranger,) = [row["timings"] for row in rows if row.get("profile") == "stranger"]
    assert stranger["outcome"] == "short_body"
    assert stranger["detail"] == "the server answered with status 400"


def test_no_key_leaves_the_parts(rows: Rows) -> None:
    assert "PRIVATE" not in str(rows)


def test_the_server_keeps_no_key_of_a_client(rows: Rows) -> None:
    leaves = [name for name in rows[-1]["keys"] if name.endswith("leaf.key")]
    assert leaves == ["keys/server-0-mldsa65/leaf.key", "keys/server-2-p256/leaf.key"]
