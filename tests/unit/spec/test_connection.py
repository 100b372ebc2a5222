"""Kinds of connections as text."""

import pytest

from pqbed.errors import SpecError
from pqbed.spec.connection import FULL, Connection, format_connection, parse_connection


@pytest.mark.parametrize("text", ["full", "resumed", "early", "reused", "reused:10s", "reused:200ms"])
def test_a_connection_is_read_back(text: str) -> None:
    assert format_connection(parse_connection(text, bare=True)) == text


def test_the_usual_one_is_full() -> None:
    assert parse_connection("full", bare=True) == FULL == Connection()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resume", "there is no connection 'resume'"),
        ("full:10s", "only a reused connection is idle"),
        ("reused:10", "'10' has no unit"),
        ("reused:4000s", "out of range"),
    ],
)
def test_what_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_connection(text, bare=True)
