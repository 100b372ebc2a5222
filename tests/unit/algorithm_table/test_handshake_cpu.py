import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pqbed.algorithm_table.cost_cache import costs_here
from pqbed.algorithm_table.handshake_cpu import cost_names, handshake_cpu
from pqbed.report.handshake_cpu import describe_handshakes
from pqbed.spec.json_codec import from_json, to_json
from pqbed.spec.profile import Chain, Profile, copy_profile
from pqbed.store.manifest import HandshakeCpu, Manifest
from pqbed_cli.render.handshake_cpu import handshake_tables
from support.profiles import PQ
from support.sweeps import CLASSIC, manifest, new_run

MIXED = Profile(name="mixed", group="P-256", chain=Chain(algorithm="mldsa44", intermediate="rsa2048", depth=3))
MUTUAL = replace(PQ, name="mutual", mutual=True, client_chain=Chain(algorithm="rsa2048", depth=1))
COSTS = {
    "x25519": {"keygen": 1, "encaps": 2, "decaps": 4},
    "X25519MLKEM768": {"keygen": 10, "encaps": 20, "decaps": 40},
    "secp256r1": {"keygen": 100, "encaps": 200, "decaps": 400},
    "rsa2048": {"sign": 5_000, "verify": 1_000},
    "mldsa44": {"sign": 70_000, "verify": 10_000},
    "mldsa65": {"sign": 900_000, "verify": 100_000},
}


@pytest.mark.parametrize(
    ("profile", "client_ns", "server_ns"),
    [
        # CertificateVerify, the leaf and the intermediate are verified.
        (CLASSIC, 1 + 4 + 3 * 1_000, 2 + 5_000),
        (PQ, 10 + 40 + 3 * 100_000, 20 + 900_000),
        (MIXED, 100 + 400 + 10_000 + 3 * 1_000, 200 + 70_000),
        (MUTUAL, 10 + 40 + 3 * 100_000 + 5_000, 20 + 900_000 + 2 * 1_000),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_handshake_is_the_sum_of_what_each_side_does(profile: Profile, client_ns: int, server_ns: int) -> None:
    assert handshake_cpu((profile,), COSTS) == (
        HandshakeCpu(profile=profile.name, client_ns=client_ns, server_ns=server_ns),
    )


def test_copies_other_stacks_and_what_has_no_cost_are_left_out() -> None:
    profiles = (CLASSIC, copy_profile(CLASSIC), replace(PQ, name="other", stack="rustls"), replace(PQ, group="x448"))
    assert [one.profile for one in handshake_cpu(profiles, COSTS)] == ["classic"]
    assert cost_names(profiles) == ("x25519", "rsa2048", "x448", "mldsa65")
    assert handshake_cpu((CLASSIC,), {**COSTS, "rsa2048": {"sign": 1}}) == ()


def test_an_algorithm_is_measured_once_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[str] = []

    def run(argv: Sequence[str], _timeout_s: float) -> str:
        return "OpenSSL 3.5.9" if argv[1] == "version" else "+F9:13:20000.0:10000.0:40000.0\n+F2:2:2048:4000:60000:1:1"

    first = costs_here(run, ("x25519", "rsa2048"), asked.append)
    assert first["x25519"]["encaps"] == 100_000
    assert first["rsa2048"]["sign"] == 250_000
    assert costs_here(run, ("rsa2048", "x25519", "MLKEM768"), asked.append).keys() == {"rsa2048", "x25519", "MLKEM768"}
    assert asked == ["x25519", "rsa2048", "MLKEM768"]
    (path,) = tmp_path.rglob("*.json")
    path.write_text("torn {")
    assert costs_here(run, ("x25519",), asked.append)["x25519"] == first["x25519"]
    assert asked[-1] == "x25519"


def test_it_is_kept_in_the_manifest_and_older_ones_read_without_it(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        assert not run.manifest.handshake_cpu
        cost = HandshakeCpu(profile="pq", client_ns=880_000, server_ns=1_150_000)
        run.write_manifest(replace(run.manifest, handshake_cpu=(cost,)))
        (kept,) = run.manifest.handshake_cpu
        assert kept == cost
        older = json.loads((run.path / "manifest.json").read_text())
    del older["handshake_cpu"]
    assert from_json(Manifest, older).handshake_cpu == ()


def test_it_is_told_as_its_own_term() -> None:
    cost = HandshakeCpu(profile="pq", client_ns=880_000, server_ns=1_150_000)
    measured = replace(manifest(), handshake_cpu=(cost,))
    assert describe_handshakes(measured) == ["pq: client 0.88 ms, server 1.15 ms"]
    (table,) = handshake_tables(measured)
    assert table.rows == (("pq", "0.88", "1.15"),)
    assert "not in the TTLB" in table.title
    assert handshake_tables(manifest()) == []
    stored = {"profile": "pq", "client_ns": 880_000, "server_ns": 1_150_000, "connection": "full"}
    assert to_json(measured)["handshake_cpu"] == [stored]


def test_a_resumed_handshake_signs_and_verifies_nothing() -> None:
    full, resumed = handshake_cpu((PQ,), COSTS, ("full", "resumed"))
    assert (full.connection, resumed.connection) == ("full", "resumed")
    assert (resumed.client_ns, resumed.server_ns) == (10 + 40, 20)
    assert [one.connection for one in handshake_cpu((PQ,), COSTS, ("full", "early"))] == ["full", "resumed"]
    assert describe_handshakes(replace(manifest(), handshake_cpu=(resumed,)))[0].startswith("pq, resumed: ")
    (table,) = handshake_tables(replace(manifest(), handshake_cpu=(full, resumed)))
    assert [row[0] for row in table.rows] == ["pq", "pq, resumed"]


def test_a_client_makes_a_key_for_every_share_that_it_sends() -> None:
    groups = ("X25519MLKEM768", "x25519")
    both = replace(PQ, groups=groups, shares=groups)
    wrong = replace(PQ, groups=groups, shares=("x25519",))
    (one,), (two,), (again,) = (handshake_cpu((profile,), COSTS) for profile in (PQ, both, wrong))
    assert two.client_ns - one.client_ns == 1
    # The guess is thrown away, and the asked-for key made after it.
    assert again.client_ns - one.client_ns == 1
    assert cost_names((both,)) == ("X25519MLKEM768", "x25519", "mldsa65")
