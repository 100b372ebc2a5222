"""Groups, key shares and what a server accepts, as keys of a profile."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from pqbed.errors import SpecError
from pqbed.plan import cell_id
from pqbed.spec.profile import mark_shares
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml
from support.exchanges import cell_of
from support.profiles import PQ

CHAIN = {"algorithm": "p256"}
BOTH = ["X25519MLKEM768", "X25519"]


def profile_of(**keys: Any) -> Any:
    table = {"group": "X25519", "chain": CHAIN, **keys}
    sweep, _ = sweep_from({"profile": "own", "profiles": {"own": table}})
    return sweep.profiles[0]


@pytest.mark.parametrize(
    ("keys", "shares", "retries"),
    [
        ({}, ("X25519",), False),
        ({"groups": BOTH}, ("X25519MLKEM768",), True),
        ({"groups": BOTH, "shares": BOTH}, tuple(BOTH), False),
        ({"groups": BOTH, "shares": ["X25519"]}, ("X25519",), False),
        ({"group": "X25519MLKEM768", "groups": BOTH, "shares": ["X25519"]}, ("X25519",), True),
    ],
)
def test_a_hello_without_a_share_of_the_group_is_asked_for_again(
    keys: dict[str, Any], shares: tuple[str, ...], retries: bool
) -> None:
    profile = profile_of(**keys)
    assert (profile.key_shares, profile.retries) == (shares, retries)


def test_they_are_written_as_openssl_reads_them() -> None:
    assert mark_shares(BOTH, BOTH) == "*X25519MLKEM768:*X25519"
    assert mark_shares(BOTH, ["X25519"]) == "X25519MLKEM768:*X25519"
    assert profile_of(server_groups="X25519MLKEM768/X25519:secp256r1").accepted == (*BOTH, "secp256r1")
    assert profile_of().accepted == ("X25519",)


def test_a_sweep_file_keeps_them() -> None:
    keys = {"groups": BOTH, "shares": ["X25519MLKEM768"], "server_groups": "X25519MLKEM768/X25519"}
    sweep, options = sweep_from({"profile": "own", "profiles": {"own": {"group": "X25519", "chain": CHAIN, **keys}}})
    text = sweep_to_toml(sweep, options)
    assert 'server_groups = "X25519MLKEM768/X25519"' in text
    assert sweep_from(tomllib.loads(text))[0] == sweep
    assert "shares" not in sweep_to_toml(*sweep_from({}))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"groups": ["X25519MLKEM768"]}, "profile own: groups lacks X25519, which is to be negotiated"),
        ({"server_groups": "X25519MLKEM768"}, "profile own: server_groups lacks X25519"),
        ({"server_groups": "X25519//P-256"}, "profile own: server_groups has an empty name"),
        ({"server_groups": "X25519 P-256"}, "cannot be names"),
        ({"groups": BOTH, "shares": ["P-256"]}, "profile own: shares has P-256, which groups lacks"),
        ({"groups": ["X 25519"]}, "cannot be a name"),
    ],
)
def test_what_cannot_be_negotiated_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        profile_of(**keys)
    assert message in caught.value.message


def test_a_profile_without_them_keeps_its_cells() -> None:
    cell = cell_of(profile=PQ)
    assert cell_id(cell) == PQ_CELL
    other = replace(PQ, groups=("X25519MLKEM768", "X25519"))
    assert cell_id(replace(cell, profile=other)) != PQ_CELL


# As main had it before profiles had these keys.
PQ_CELL = "2d119801b497"
