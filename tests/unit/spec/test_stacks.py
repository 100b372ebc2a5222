"""Stacks are data: nothing but their own folders names them, and what a pair cannot speak is told from failures."""

import ast
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_part_interfaces import StackClient, StackServer
from pqbed.agent.multi_stack_endpoints import StackClients, StackServers
from pqbed.agent.network_path import NetworkPath
from pqbed.artefacts.image_sources import PACKAGE, recipe_folder
from pqbed.artefacts.root_stacks import extra_stacks, stacks_with_wheels
from pqbed.artefacts.uml_rootfs import fitting_root, root_entry
from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import SpecError
from pqbed.fetch.client_drivers import DRIVERS
from pqbed.fetch.fetch_outcome import judge
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.plan import cell_id
from pqbed.runner import run_sweep
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.cell import Cell
from pqbed.spec.link import Layout, Link
from pqbed.spec.profile import DEFAULT_STACK, Chain, Profile, stacks_of
from pqbed.spec.sample import Fetch
from pqbed.spec.stack_pairs import pair_profiles
from pqbed.spec.stacks import ENTRY, known_stacks
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.stats import summarise
from pqbed.tls.certificate_keys import key_kind
from pqbed.tls.openssl_providers import ServedGroup
from pqbed.tls.server_drivers import SERVER_DRIVERS
from pqbed.tls.stack_support import Support
from pqbed_cli.workflows.show import unsupported_lines
from support.sweeps import new_run, small_plan

HYBRID, PQ = profile_named("hybrid"), profile_named("pq")
# As libraries print what they have: OpenSSL's names, and codepoints.
FULL = Support(version="Full 1", groups=("X25519MLKEM768",), signatures=("rsa_pss_rsae_sha256", "MLDSA65"))
PLAIN = Support(version="Plain 2", groups=("0x11ec",), signatures=("0x0804",))


@pytest.mark.parametrize("name", known_stacks())
def test_an_entry_names_drivers_that_there_are(name: str) -> None:
    stack = known_stacks()[name]
    assert stack.server in SERVER_DRIVERS
    assert stack.client in DRIVERS
    assert bool(stack.program) == ("program" in (stack.server, stack.client))
    assert not stack.extends or stack.extends in known_stacks()
    assert (recipe_folder(name) / "Dockerfile").exists()


ROOMS = ("agent", "beds", "fetch", "net", "report", "runner", "stats", "store")


def test_no_code_names_a_stack() -> None:
    """Outside of `tls/` and `algorithms/`, where `openssl` is the command that makes chains and lists algorithms."""
    files = [path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")]
    for path in [*files, *(PACKAGE.parents[1] / "cli").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and node.value in known_stacks()), (path, node.lineno)


def test_every_pair_is_an_arm_with_the_name_of_its_pair() -> None:
    arms = pair_profiles((HYBRID,), ("openssl", "go"), ("openssl", "go"))
    assert [(arm.name, arm.stack, arm.clients_stack) for arm in arms] == [
        ("hybrid.openssl", "openssl", "openssl"),
        ("hybrid.go-to-openssl", "openssl", "go"),
        ("hybrid.openssl-to-go", "go", "openssl"),
        ("hybrid.go", "go", "go"),
    ]
    assert stacks_of(arms) == ("go",)


def test_without_stacks_named_nothing_changes() -> None:
    assert pair_profiles((HYBRID, PQ), None, None) == (HYBRID, PQ)
    assert pair_profiles((HYBRID,), (DEFAULT_STACK,), (None,)) == (HYBRID,)


def test_stacks_from_flags_and_file_survive_the_file_of_the_run(tmp_path: Path) -> None:
    typed, options = sweep_from(
        {"rtt": "35", "profile": "hybrid", "stack": "go,botan", "client_stack": "same,go"}, bare=True
    )
    filed, _ = sweep_from(
        {"rtt": "35ms", "profile": "hybrid", "stack": ["go", "botan"], "client_stack": ["same", "go"]}
    )
    assert typed.profiles == filed.profiles
    assert [arm.name for arm in typed.profiles] == ["hybrid.go", "hybrid.botan", "hybrid.go-to-botan"]
    path = tmp_path / "sweep.toml"
    path.write_text(sweep_to_toml(typed, options))
    from pqbed.spec.sweep_toml import read_spec

    assert sweep_from(read_spec(path))[0] == typed


@pytest.mark.parametrize("raw", [{"stack": "gol"}, {"client_stack": "gol"}])
def test_a_stack_that_is_not_there_is_refused_with_the_nearest(raw: dict[str, str]) -> None:
    with pytest.raises(SpecError, match="there is no stack 'gol'") as refused:
        sweep_from(raw)
    assert "did you mean 'go'?" in refused.value.hint


def test_the_root_without_added_stacks_is_the_one_there_was() -> None:
    assert root_entry((DEFAULT_STACK,)) == root_entry()
    assert len({root_entry(), root_entry(("go",)), root_entry(("botan", "go"))}) == 3
    assert root_entry(("go", "botan")) == root_entry(("botan", "go"))


def test_a_root_holds_what_its_stacks_extend() -> None:
    assert extra_stacks(("firefox", "openssl")) == ("chrome", "firefox")
    assert root_entry(("firefox",)) == root_entry(("chrome", "firefox"))
    assert stacks_with_wheels(("firefox", "go")) == ("chrome",)


def test_a_root_that_holds_more_is_taken_where_it_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert fitting_root(("go",)) == root_entry(("go",))
    root_entry(("botan", "go", "openssl-fips")).mkdir(parents=True)
    assert fitting_root(("go",)) == root_entry(("botan", "go", "openssl-fips"))
    root_entry(("botan", "go")).mkdir()
    assert fitting_root(("go",)) == root_entry(("botan", "go"))
    assert fitting_root() == root_entry()


class Side:
    """A server or client of one stack, with what it supports; it fetches nothing."""

    def __init__(self, support: Support) -> None:
        self.support = support
        self.started: list[Profile] = []

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        return {p.name: reason for p in profiles if (reason := self.support.reason_against(p))}

    def listed(self) -> tuple[str, ...]:
        return (*self.support.groups, *self.support.signatures)

    def start(self, profiles: Sequence[Profile], _first_port: int = 1) -> tuple[Any, ...]:
        self.started += profiles
        return ()


def runner_of(side_of: Callable[[str], Side]) -> FetchRunner:
    """Return a runner of these sides, which has no link."""

    def no_path(_layout: Layout) -> NetworkPath:
        raise NotImplementedError

    servers = StackServers(lambda stack: cast("StackServer", side_of(stack)))
    clients = StackClients(lambda stack: cast("StackClient", side_of(stack)))
    return FetchRunner(path_of=no_path, server=servers, client=clients, timeout_ns=1)


@pytest.mark.parametrize(
    ("stack", "client_stack", "said"),
    [
        ("plain", "full", "not supported by the server plain: Plain 2 has no signature algorithm mldsa65"),
        ("full", "plain", "not supported by the client plain: Plain 2 has no signature algorithm mldsa65"),
    ],
)
def test_what_a_side_cannot_speak_is_not_fetched(stack: str, client_stack: str, said: str) -> None:
    from dataclasses import replace

    sides = {"full": Side(FULL), "plain": Side(PLAIN)}
    runner = runner_of(sides.__getitem__)
    arm = replace(PQ, stack=stack, client_stack=client_stack)
    runner.start([arm, replace(HYBRID, stack="plain", client_stack="full")])
    assert [profile.name for profile in sides["plain"].started] == ["hybrid"]
    cell = Cell(link=Link(rtt_ns=0), tcp=Tcp(), profile=arm, workload=Workload(size_bytes=0))
    fetch = Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1)
    ((_, timings),) = runner.run({fetch.cell_id: cell}, (fetch,))
    assert timings.outcome == "unsupported"
    assert timings.detail == f"{said}: asked for them, it listed rsa_pss_rsae_sha256"


@pytest.mark.parametrize(
    ("change", "noun", "name", "likely"),
    [
        ({"group": "X25519MLKEM786"}, "group", "X25519MLKEM786", "X25519MLKEM768"),
        ({"group": "frodo640as"}, "group", "frodo640as", "frodo640aes"),
        ({"chain": Chain(algorithm="mdlsa65")}, "certificate algorithm", "mdlsa65", "mldsa65"),
        ({"chain": Chain(algorithm="rsa1024")}, "certificate algorithm", "rsa1024", "rsa"),
        ({"chain": Chain(algorithm="p256", intermediate="falcon51")}, "certificate algorithm", "falcon51", "falcon512"),
    ],
)
def test_a_name_that_nobody_knows_is_a_wrong_request(change: dict[str, Any], noun: str, name: str, likely: str) -> None:
    from dataclasses import replace

    more = replace(FULL, groups=(*FULL.groups, "frodo640aes"), signatures=(*FULL.signatures, "falcon512"))
    side = Side(more)
    runner = runner_of(lambda _: side)
    with pytest.raises(SpecError, match=f"there is no {noun} '{name}'") as refused:
        runner.start([replace(PQ, **change)])
    assert refused.value.hint.startswith(f"did you mean '{likely}")
    assert side.started == []


def test_a_name_beyond_the_tables_is_what_the_stack_lists() -> None:
    from dataclasses import replace

    more = replace(FULL, groups=(*FULL.groups, "x25519_HQC1"), signatures=(*FULL.signatures, "falcon512"))
    arm = replace(PQ, group="X25519_hqc1", chain=Chain(algorithm="falcon512"))
    assert more.reason_against(arm) == ""
    assert "has no group X25519_hqc1" in FULL.reason_against(arm)
    assert (key_kind("falcon512").newkey, key_kind("falcon512").scheme) == (("falcon512",), "falcon512")
    provided = {"x25519_HQC1": ServedGroup(codepoint=0xFE35, provider="oqsprovider")}
    served = replace(more, provided=provided, provided_schemes={"falcon512": "oqsprovider"})
    for name in ("x25519_hqc1", "0xfe35", "0xFE35"):
        assert (served.name_of(name), served.provider_of(name)) == ("x25519_HQC1", "oqsprovider")
    assert served.codepoint_of("X25519_HQC1") == 0xFE35
    assert served.provider_of_scheme("Falcon512") == "oqsprovider"
    assert served.provider_of_scheme("mldsa65") is None


def test_a_group_that_no_standard_has_is_known_by_its_codepoint() -> None:
    request = FetchRequest(
        address="",
        port=1,
        server_name="",
        size_bytes=0,
        group="odd",
        signature="",
        root_pem="",
        timeout_ns=1,
        group_id=0x2F5A,
    )
    assert judge(request, 200, 0, ("0x2f5a",)) == ("ok", "")
    assert judge(request, 200, 0, ("0x2f5b",))[0] == "wrong_group"
    assert judge(request, 200, 0, (None,))[0] == "wrong_group"


def test_what_is_unsupported_has_not_failed(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        plan = small_plan()
        bed = FakeBed(fail_at=range(1, plan.fetch_count + 1), fail_with="unsupported")
        outcome = run_sweep(plan, bed, run, lanes=1)
        assert (outcome.exit_code, outcome.not_ok, outcome.failed_cells) == (0, 0, ())
        summary = summarise(run.samples(), run.cells(), "classic")
        assert summary["n_failed"].sum() == 0
        assert summary["n_unsupported"].sum() == plan.fetch_count
        assert summary.select(pl.col("p50_ns").is_null().all()).item()
        assert all(" is fetch " in line for line in unsupported_lines(run))


def test_every_recipe_says_its_base() -> None:
    for name in known_stacks():
        first = next(
            line for line in (recipe_folder(name) / "Dockerfile").read_text().splitlines() if not line.startswith("#")
        )
        assert first == "ARG BASE=debian:trixie-slim"
        assert (recipe_folder(name) / ENTRY).exists()
