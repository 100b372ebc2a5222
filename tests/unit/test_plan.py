from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest

from pqbed.plan import Plan, cell_id, link_id, plan_hash, plan_sweep, plan_sweeps
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.cell import Cell
from pqbed.spec.connection import Connection
from pqbed.spec.cross_traffic import CrossTraffic, Flows
from pqbed.spec.drop_list import DropList
from pqbed.spec.link import GilbertElliott, Link, RandomLoss
from pqbed.spec.link_timeline import LinkTrace, Outage, TraceStep
from pqbed.spec.middlebox import Middlebox
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.profile import Chain, ChainCertificate, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_checks import cell_count
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

CELL = Cell(
    link=Link(rtt_ns=35_000_000, bandwidth_bps=1_000_000),
    tcp=Tcp(),
    profile=Profile(name="pq", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65")),
    workload=Workload(size_bytes=51_200),
)
SWEEP = Sweep(
    name="plan",
    rtt_ns=(35_000_000, 200_000_000),
    bandwidth_bps=(1_000_000, None),
    loss=(RandomLoss(), RandomLoss(probability_ppm=10_000)),
    profiles=(profile_named("classical"), profile_named("pq")),
    initcwnd=(10, 20),
    size_bytes=(0, 51_200, 204_800),
    samples=5,
)
ARMS = 2 * 2 * 3
LINKS = 2 * 2 * 2


def test_the_same_sweep_gives_the_same_plan() -> None:
    first, second = plan_sweep(SWEEP), plan_sweep(replace(SWEEP))
    assert first == second
    assert list(first.blocks()) == list(second.blocks())


def test_a_block_does_not_depend_on_the_blocks_before() -> None:
    plan = plan_sweep(SWEEP)
    assert plan.block(3) == list(plan.blocks())[3]


def test_counts() -> None:
    plan = plan_sweep(SWEEP)
    assert len(plan.cells) == LINKS * ARMS
    assert plan.block_count == 5
    assert plan.fetch_count == sum(len(block) for block in plan.blocks()) == 5 * LINKS * ARMS


def test_each_cell_stands_once_in_a_block() -> None:
    plan = plan_sweep(SWEEP)
    for number, block in enumerate(plan.blocks()):
        assert sorted(fetch.cell_id for fetch in block) == sorted(plan.cells)
        assert {(fetch.block, fetch.repetition) for fetch in block} == {(number, number)}


def test_arms_of_a_link_are_neighbours_and_share_the_seed() -> None:
    plan = plan_sweep(SWEEP)
    for block in plan.blocks():
        links = [_link(plan, fetch) for fetch in block]
        assert sum(before != after for before, after in pairwise(links)) == LINKS - 1
        seeds = {(link, fetch.seed) for link, fetch in zip(links, block, strict=True)}
        assert len(seeds) == LINKS
        assert len({seed for _, seed in seeds}) == LINKS


def test_blocks_differ_in_the_order_of_links_and_of_arms() -> None:
    plan = plan_sweep(SWEEP)
    blocks = list(plan.blocks())
    assert len({tuple(_link(plan, fetch) for fetch in block) for block in blocks}) == len(blocks)
    link = next(iter(plan.cells.values())).link
    arms = {tuple(fetch.cell_id for fetch in block if _link(plan, fetch) == link) for block in blocks}
    assert len(arms) == len(blocks)


def test_another_seed_gives_another_order_and_other_seeds() -> None:
    first, second = plan_sweep(SWEEP).block(0), plan_sweep(replace(SWEEP, seed=2)).block(0)
    assert [fetch.cell_id for fetch in first] != [fetch.cell_id for fetch in second]
    assert not {fetch.seed for fetch in first} & {fetch.seed for fetch in second}


def test_more_samples_extend_a_plan_without_changing_it() -> None:
    short, long = plan_sweep(SWEEP), plan_sweep(replace(SWEEP, samples=8))
    assert list(long.blocks())[:5] == list(short.blocks())


def test_a_link_has_the_same_seeds_in_every_sweep() -> None:
    alone = plan_sweep(replace(SWEEP, rtt_ns=(35_000_000,)))
    assert _seeds(alone).items() <= _seeds(plan_sweep(SWEEP)).items()


def test_seeds_are_64_bits_and_well_spread() -> None:
    plan = plan_sweep(replace(SWEEP, samples=250))
    seeds = {fetch.seed for block in plan.blocks() for fetch in block}
    assert len(seeds) == 250 * LINKS
    assert all(0 <= seed < 2**64 for seed in seeds)
    for bit in range(64):
        # 2,000 fair draws: 1,000 with a standard deviation of 22; the seeds are fixed, so this never flickers.
        assert 850 < sum(seed >> bit & 1 for seed in seeds) < 1150
    neighbours = pairwise(plan.block(number)[0].seed for number in range(250))
    assert min((before ^ after).bit_count() for before, after in neighbours) > 8


def test_the_cells_follow_the_axes() -> None:
    cells = list(plan_sweep(SWEEP).cells.values())
    assert [cell.workload.size_bytes for cell in cells[:3]] == [0, 51_200, 204_800]
    assert [cell.profile.name for cell in cells[:6:3]] == ["classical", "pq"]
    assert {(cell.tcp.initcwnd_server, cell.tcp.initcwnd_client) for cell in cells} == {(10, 10), (20, 20)}


def test_each_side_and_direction_is_an_axis_of_its_own() -> None:
    sweep = replace(
        SWEEP,
        rtt_ns=(35_000_000,),
        bandwidth_up_bps=(None, 500_000),
        loss_up=(None, RandomLoss()),
        initcwnd_client=(None, 2),
        congestion_control=("cubic", "bbr"),
        congestion_control_client=(None, "reno"),
    )
    cells = list(plan_sweep(sweep).cells.values())
    assert len(cells) == cell_count(sweep) == 2**7 * ARMS
    assert {(cell.link.bandwidth_up_bps, cell.link.loss_up) for cell in cells} == {
        (None, None),
        (None, RandomLoss()),
        (500_000, None),
        (500_000, RandomLoss()),
    }
    assert {(cell.tcp.initcwnd_server, cell.tcp.initcwnd_client) for cell in cells} == {
        (10, 10),
        (10, 2),
        (20, 20),
        (20, 2),
    }
    controls = {(cell.tcp.congestion_control, cell.tcp.congestion_control_client) for cell in cells}
    assert controls == {("cubic", None), ("cubic", "reno"), ("bbr", None), ("bbr", "reno")}


def test_the_id_of_a_cell_is_pinned() -> None:
    # Runs on disk are found again by these ids: a change here is a new schema.
    wide = replace(CELL, tcp=Tcp(initcwnd_server=20, initcwnd_client=20))
    assert cell_id(wide) == "56466e1c0c7d"
    assert cell_id(CELL) == "232d25da9da3"


def test_the_hash_of_a_plan_and_the_id_of_a_link_are_pinned() -> None:
    # A run is resumed only by the plan whose hash its manifest has; calibrations are found by the ids of links.
    assert plan_hash(plan_sweep(SWEEP)) == "90e9abf38993ba68"
    assert link_id(CELL.link, CELL.tcp) == "5c716dc4fccf"


LINK_CHANGES: dict[str, object] = {
    "rtt_ns": 35_000_001,
    "bandwidth_bps": None,
    "loss": GilbertElliott(enter_bad_ppm=1, leave_bad_ppm=1),
    "jitter_ns": 1,
    "distribution": "normal",
    "queue_packets": 999,
    "segmentation": "host",
    "layout": "router",
    "limit_packets": 1000,
    "bandwidth_up_bps": 0,
    "loss_up": RandomLoss(),
    "drop": DropList(up=(1,)),
    "path_mtu": PathMtu(size_bytes=1400, handling="clamped"),
    "delay_up_ns": 1,
    "jitter_up_ns": 1,
    "distribution_up": "normal",
    "queue_up_packets": 999,
    "limit_up_packets": 1000,
    "queue_bytes": 1000,
    "queue_ns": 1000,
    "queue_up_bytes": 1000,
    "queue_up_ns": 1000,
    "queue_discipline": "pie",
    "queue_discipline_up": "fifo",
    "trace": LinkTrace(name="t", steps=(TraceStep(at_ns=0, rate_bps=1),), period_ns=1),
    "trace_up": LinkTrace(name="t", steps=(TraceStep(at_ns=0, rate_bps=1),), period_ns=1),
    "outage": Outage(at_ns=0, for_ns=1),
    "middlebox": Middlebox(drops="hello-tail"),
    "reorder_ppm": 1,
    "duplicate_ppm": 1,
    "corrupt_ppm": 1,
    "cross_traffic": CrossTraffic(flows=(Flows(way="up"),)),
}
TCP_CHANGES: dict[str, object] = {
    "initcwnd_server": 21,
    "initcwnd_client": 21,
    "initrwnd": 1,
    "congestion_control": "reno",
    "mtu": 1499,
    "congestion_control_client": "cubic",
    "ecn": True,
    "fast_open": True,
}
PROFILE_CHANGES: dict[str, object] = {
    "name": "other",
    "group": "X25519",
    "chain": Chain(algorithm="mldsa65", depth=3),
    "stack": "other",
    "mutual": True,
    "client_chain": Chain(algorithm="p256"),
    "client_stack": "other",
    "copy_of": "classical",
    "groups": ("X25519MLKEM768", "X25519"),
    "shares": ("X25519MLKEM768",),
    "server_groups": "X25519MLKEM768:X25519",
    "alpn": True,
}
CHAIN_CHANGES: dict[str, Any] = {
    "algorithm": "mldsa44",
    "depth": 3,
    "intermediate": "mldsa87",
    "wire_bytes": 16_000,
    "certificate": (ChainCertificate(algorithm="mldsa65"), ChainCertificate(algorithm="mldsa65", der_bytes=9_000)),
    "root": "mldsa87",
    "scts": 2,
    "sct_bytes": 2_467,
    "ocsp": True,
}
WORKLOAD_CHANGES: dict[str, object] = {"size_bytes": 51_201, "http": "2", "connection": Connection(kind="resumed")}
CHANGES = [
    *(("link", field, value) for field, value in LINK_CHANGES.items()),
    *(("tcp", field, value) for field, value in TCP_CHANGES.items()),
    *(("profile", field, value) for field, value in PROFILE_CHANGES.items()),
    *(("workload", field, value) for field, value in WORKLOAD_CHANGES.items()),
    *(("profile", "chain", replace(CELL.profile.chain, **{field: value})) for field, value in CHAIN_CHANGES.items()),
]


@pytest.mark.parametrize(("part", "field", "value"), CHANGES)
def test_the_id_depends_on_every_field(part: str, field: str, value: object) -> None:
    changed = replace(CELL, **{part: replace(getattr(CELL, part), **{field: value})})
    assert cell_id(changed) != cell_id(CELL)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Link, LINK_CHANGES),
        (Tcp, TCP_CHANGES),
        (Profile, PROFILE_CHANGES),
        (Chain, CHAIN_CHANGES),
        (Workload, WORKLOAD_CHANGES),
    ],
)
def test_no_field_is_left_out_above(kind: type, changes: dict[str, object]) -> None:
    assert {field.name for field in fields(kind) if field.compare} == set(changes)


def test_ids_are_short_and_unlike() -> None:
    cells = plan_sweep(SWEEP).cells
    assert all(len(identity) == 12 and int(identity, 16) >= 0 for identity in cells)
    assert all(cell_id(cell) == identity for identity, cell in cells.items())


def _link(plan: Plan, fetch: Fetch) -> Link:
    return plan.cells[fetch.cell_id].link


def _seeds(plan: Plan) -> dict[tuple[Link, int], int]:
    return {(_link(plan, fetch), fetch.block): fetch.seed for block in plan.blocks() for fetch in block}


def test_sweeps_that_share_cells_are_planned_once() -> None:
    other = replace(SWEEP, name="other", loss=(RandomLoss(), RandomLoss(probability_ppm=7)))
    plan = plan_sweeps((SWEEP, other), samples=3, seed=5)
    assert set(plan.cells) == {*plan_sweep(SWEEP).cells, *plan_sweep(other).cells}
    assert (plan.samples, plan.seed, plan.profiles) == (3, 5, SWEEP.profiles)
    assert plan_sweeps((SWEEP,), samples=SWEEP.samples, seed=SWEEP.seed).block(1) == plan_sweep(SWEEP).block(1)


def test_the_aa_arm_is_in_every_block_beside_the_baseline_and_draws_the_same_link() -> None:
    plan = plan_sweep(replace(SWEEP, aa=True))
    copies = {identity: cell for identity, cell in plan.cells.items() if cell.profile.copy_of is not None}
    assert len(plan.cells) == cell_count(replace(SWEEP, aa=True)) == 3 * len(copies)
    assert plan.profiles[-1] == replace(plan.profiles[0], name="classical-again", copy_of="classical")
    assert {cell.profile.copy_of for cell in copies.values()} == {plan.profiles[0].name}
    alone = plan_sweep(SWEEP)
    assert set(alone.cells) == set(plan.cells) - set(copies)
    for number in range(SWEEP.samples):
        seeds = {fetch.cell_id: fetch.seed for fetch in plan.block(number)}
        assert {fetch.cell_id: fetch.seed for fetch in alone.block(number)}.items() <= seeds.items()
        for identity, cell in copies.items():
            assert seeds[identity] == seeds[cell_id(replace(cell, profile=plan.profiles[0]))]
