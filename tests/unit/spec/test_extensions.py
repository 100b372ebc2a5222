"""Stapled responses and ALPN in profiles: read, written, named, refused."""

import tomllib
from typing import Any

import pytest

from pqbed.errors import SpecError
from pqbed.plan import plan_sweep
from pqbed.spec.profile import Chain, Profile, chain_text
from pqbed.spec.stacks import stack_named
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml
from pqbed.tls.stack_support import lacking_extension

STAPLED = {"group": "X25519", "chain": {"algorithm": "mldsa44", "ocsp": True}, "alpn": True}


def test_both_are_written_and_read_again() -> None:
    sweep, options = sweep_from({"profile": "one", "profiles": {"one": STAPLED}})
    assert sweep.profiles[0].chain.ocsp
    assert sweep.profiles[0].alpn
    assert chain_text(sweep.profiles[0].chain) == "mldsa44+ocsp"
    written = sweep_to_toml(sweep, options)
    assert sweep_from(tomllib.loads(written))[0] == sweep
    plain = sweep_to_toml(sweep_from({})[0], options)
    assert "ocsp" not in plain
    assert "alpn" not in plain


def test_they_make_other_cells_and_leave_the_ids_of_plain_ones() -> None:
    plain = {"group": "X25519", "chain": {"algorithm": "mldsa44"}}
    ids = [
        next(iter(plan_sweep(sweep_from({"profile": "one", "profiles": {"one": table}})[0]).cells))
        for table in (plain, {**plain, "alpn": False}, STAPLED)
    ]
    assert ids[0] == ids[1] != ids[2]


def test_a_client_of_a_mutual_profile_staples_nothing() -> None:
    profile = Profile(name="one", group="X25519", chain=Chain(algorithm="p256", ocsp=True), mutual=True)
    assert profile.clients_chain == Chain(algorithm="p256")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"chain": {"algorithm": "p256", "depth": 1, "ocsp": True}}, "has no stapled OCSP response"),
        (
            {"chain": {"algorithm": "p256"}, "mutual": True, "client_chain": {"algorithm": "p256", "ocsp": True}},
            "a client staples no OCSP response",
        ),
        ({"chain": {"algorithm": "p256"}, "alpn": "h2"}, "profiles.one.alpn"),
    ],
)
def test_what_cannot_be_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as refused:
        sweep_from({"profile": "one", "profiles": {"one": {"group": "X25519", **table}}})
    assert said in refused.value.message


def test_stacks_say_which_they_do() -> None:
    profile = Profile(name="one", group="X25519", chain=Chain(algorithm="p256", ocsp=True), alpn=True)
    assert lacking_extension(stack_named("openssl"), profile, "server") == ""
    assert lacking_extension(stack_named("openssl"), profile, "client") == ""
    assert lacking_extension(stack_named("go"), profile, "server") == "it staples no OCSP response"
    assert lacking_extension(stack_named("chrome"), profile, "client") == "it verifies no stapled OCSP response"
