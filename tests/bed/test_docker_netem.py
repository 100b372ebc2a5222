"""The docker bed whole, on an engine whose kernel has netem: up, link, fetch, down. For pqbed the engine is remote.

The clock is real and the machine may be busy: what physics allows is a floor, the ceilings are wide.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from pqbed.beds.docker.bed import DockerBed, take_down, up_lane_fault
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.engine_interface import Engine
from pqbed.beds.docker.labels import PARTS, ROLE, everyones, lane_of, this_run
from pqbed.beds.docker.netem_probe import netem_in_engine
from pqbed.calibrate.deviations import achieved_rate_bps, judge
from pqbed.errors import LaneError, PqbedError
from pqbed.net.pcap import read_pcap
from pqbed.spec.cell import Cell
from pqbed.spec.connection import KINDS, Connection
from pqbed.spec.cross_traffic import parse_cross_traffic
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.link_end_shape import STAGES
from pqbed.spec.link_timeline import Outage
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.trace.flights import find_flights
from pqbed.trace.segments import read_segments

pytestmark = [pytest.mark.docker, pytest.mark.uml, pytest.mark.timeout(2400)]

TCP = Tcp(initcwnd_server=20, initcwnd_client=20)
MS = 1_000_000
TIMEOUT_NS = 60_000 * MS
CHAIN = Chain(algorithm="p256")
CLASSICAL = Profile(name="classical", group="X25519", chain=CHAIN)
MUTUAL = Profile(name="mutual", group="X25519", chain=CHAIN, mutual=True, client_chain=Chain(algorithm="mldsa65"))
HYBRID = Profile(name="hybrid", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65"))
LINK = Link(rtt_ns=40 * MS, bandwidth_bps=10_000_000)
# What a machine that is busy with something else adds to a link.
LATE = {("rtt", ""), *((what, way) for what in ("rate", "jitter", "queue") for way in ("up", "down"))}


@pytest.fixture
def bed(netem_engine: Engine, netem_image: str) -> Iterator[Any]:
    bed = DockerBed(netem_engine, lambda *_: {"openssl": netem_image})
    yield bed
    take_down(netem_engine, None)


def cells(*profiles: Any, link: Any = LINK, size: Any = 50 * 1024) -> Any:
    return {one.name: Cell(link=link, tcp=TCP, profile=one, workload=Workload(size_bytes=size)) for one in profiles}


def fetches(grid: Any, count: Any) -> Any:
    return [
        Fetch(cell_id=name, block=number, repetition=number, seed=(number + 1) << 40)
        for number in range(count)
        for name in grid
    ]


def test_the_probe_finds_netem(netem_engine: DockerEngine, netem_image: str) -> None:
    assert netem_in_engine(netem_engine, netem_image) is None
    assert not netem_engine.find("container", everyones())


def test_a_lane_that_is_up_keeps_its_link_from_one_session_to_the_next(bed: Any, netem_engine: DockerEngine) -> None:
    assert bed.up()
    lane = bed.open_up_lane([CLASSICAL], TIMEOUT_NS)
    asked = lane.set_link(LINK, TCP, seed=7)
    assert asked.client.applied.delay_ns + asked.server.applied.delay_ns == 40 * MS
    lane.close()
    again = bed.open_up_lane([CLASSICAL], TIMEOUT_NS)
    read = again.read_link()
    assert read.client.applied.delay_ns == 20 * MS
    assert read.server.applied.rate_bps == 10_000_000
    grid = cells(CLASSICAL)
    ((_, timings),) = again.run(grid, fetches(grid, 1))
    assert timings.outcome == "ok", timings
    again.close()
    last = bed.open_up_lane([CLASSICAL], TIMEOUT_NS)
    assert last.read_link().client.applied.delay_ns == 20 * MS
    last.close()
    assert not bed.up()
    assert len(take_down(netem_engine, this_run().owner)) == 5


@pytest.mark.parametrize("layout", ["ends", "router"])
def test_a_trace_sees_both_ends_and_leaves_its_lane_as_it_was(
    bed: Any, netem_engine: DockerEngine, layout: Any
) -> None:
    lane = bed.open_lane(0, [HYBRID], TIMEOUT_NS)
    lossy = replace(LINK, layout=layout, loss=RandomLoss(probability_ppm=100_000))
    (cell,) = cells(HYBRID, link=lossy).values()
    traced = lane.trace(cell, Fetch(cell_id="one", block=0, repetition=0, seed=3 << 40))
    timings = traced.fetch.timings
    assert timings.outcome == "ok", timings
    captures = (read_pcap(traced.client_pcap), read_pcap(traced.server_pcap))
    segments = read_segments(*captures, delay_ns=70 * MS, ended_ns=traced.fetch.ended_ns)
    assert {"arrived", "lost"} <= {one.fate for one in segments}
    assert min(one.received_ns - one.sent_ns for one in segments if one.received_ns is not None) >= 20 * MS
    flights = {flight.name: flight for flight in find_flights(segments, HYBRID, timings)}
    # The clock is real: libcurl hears of a byte some time after the interface.
    assert 0 <= timings.last_byte_ns - flights["response"].received_ns <= 200 * MS
    assert len(traced.keys.splitlines()) == 5
    roles = {one.labels[ROLE] for one in netem_engine.find("container", lane_of(this_run(), 0))}
    assert not roles & {"client-tap", "server-tap"}
    grid = cells(HYBRID)
    ((_, after),) = lane.run(grid, fetches(grid, 1))
    assert after.outcome == "ok", after
    lane.close()


def test_fetches_obey_physics(bed: Any, netem_engine: DockerEngine) -> None:
    lane = bed.open_lane(0, [CLASSICAL, HYBRID], TIMEOUT_NS)
    assert lane.facts.kernel
    assert [one.profile.name for one in lane.facts.served] == ["classical", "hybrid"]
    assert lane.facts.sysctls["net.ipv4.tcp_no_metrics_save"] == "1"
    grid = cells(CLASSICAL, HYBRID)
    got = list(lane.run(grid, fetches(grid, 4)))
    lane.close()
    assert len(got) == 8
    for fetch, timings in got:
        assert timings.outcome == "ok", timings
        assert timings.group.lower() == grid[fetch.cell_id].profile.group.lower()
        assert timings.body_bytes == 50 * 1024
        assert 40 * MS <= timings.tcp_connect_ns < 140 * MS
        assert timings.tls_done_ns >= 80 * MS
        # Three round trips, and 50 KiB at 10 Mbit/s.
        assert 160 * MS <= timings.last_byte_ns < 1000 * MS
    assert not netem_engine.find("container", everyones())


def test_both_layouts_of_one_lane_obey_physics(bed: Any, netem_engine: DockerEngine) -> None:
    lane = bed.open_lane(0, [CLASSICAL], TIMEOUT_NS)
    routed = replace(LINK, layout="router", bandwidth_up_bps=1_000_000)
    grid = {
        name: Cell(link=link, tcp=TCP, profile=CLASSICAL, workload=Workload(size_bytes=50 * 1024))
        for name, link in (("router", routed), ("short", replace(routed, queue_packets=3)), ("ends", LINK))
    }
    got = [(fetch.cell_id, timings) for fetch, timings in lane.run(grid, fetches(grid, 3))]
    state = lane.set_link(routed, TCP, seed=7)
    roles = {one.labels[ROLE] for one in netem_engine.find("container", lane_of(this_run(), 0))}
    lane.close()
    assert [timings.outcome for _, timings in got] == ["ok"] * 9, got
    for name, timings in got:
        assert 40 * MS <= timings.tcp_connect_ns < 140 * MS
        assert 160 * MS <= timings.last_byte_ns < 3000 * MS
        if name == "ends":
            assert timings.queue_drops is None
        else:
            assert (timings.queue_drops > 0) == (name == "short")
    assert {*PARTS, *STAGES} == roles
    assert tuple(state.stages) == STAGES
    assert all(stage.applied == stage.asked for stage in state.stages.values())
    assert state.client.applied.delay_ns == 0
    assert not netem_engine.find("container", everyones())


def test_every_kind_of_connection_takes_its_round_trips(bed: Any) -> None:
    lane = bed.open_lane(0, [CLASSICAL], TIMEOUT_NS)
    works = {kind: Workload(size_bytes=0, connection=Connection(kind=kind)) for kind in KINDS}
    grid = {kind: Cell(link=LINK, tcp=TCP, profile=CLASSICAL, workload=work) for kind, work in works.items()}
    got = {fetch.cell_id: timings for fetch, timings in lane.run(grid, fetches(grid, 1))}
    lane.close()
    assert {kind: timings.outcome for kind, timings in got.items()} == dict.fromkeys(KINDS, "ok"), got
    for kind, trips in {"full": 3, "resumed": 3, "early": 2, "reused": 1}.items():
        assert trips * LINK.rtt_ns <= got[kind].last_byte_ns, kind
    assert got["reused"].last_byte_ns < got["early"].last_byte_ns < got["resumed"].last_byte_ns
    assert got["reused"].tls_done_ns is None


def test_links_that_change_cross_traffic_and_managed_queues_run_from_their_containers(bed: Any) -> None:
    lane = bed.open_lane(0, [CLASSICAL], TIMEOUT_NS)
    out = replace(LINK, outage=Outage(at_ns=60 * MS, for_ns=600 * MS))
    crossed = replace(LINK, layout="router", cross_traffic=parse_cross_traffic("down:1+up:udp:200kbit@1s", bare=False))
    told = replace(LINK, layout="router", path_mtu=PathMtu(size_bytes=1400, handling="told"))
    managed = replace(LINK, layout="router", queue_discipline="fq_codel", queue_discipline_up="cake")
    grid = {
        name: Cell(link=link, tcp=TCP, profile=CLASSICAL, workload=Workload(size_bytes=0))
        for name, link in (("out", out), ("crossed", crossed), ("managed", managed), ("told", told), ("plain", LINK))
    }
    got = {fetch.cell_id: timings for fetch, timings in lane.run(grid, fetches(grid, 1))}
    assert got.pop("told").detail.startswith("what was learned of the path MTU cannot be forgotten between fetches")
    assert {timings.outcome for timings in got.values()} == {"ok"}, got
    assert got["out"].tls_done_ns > 660 * MS > got["plain"].tls_done_ns
    assert got["crossed"].last_byte_ns > 120 * MS
    measured = lane.calibrate(out, TCP, 1).measured
    stages = lane.set_link(managed, TCP, 1).stages
    lane.close()
    assert [stages[stage].applied.discipline for stage in ("down-rate", "up-rate")] == ["fq_codel", "cake"]
    assert not {one for one in names(judge(out, TCP, measured, "real")) if one[0] in {"trace", "outage"}}


def test_calibration_from_the_containers_that_shape(bed: Any, netem_engine: DockerEngine) -> None:
    """What needs no raw socket, on both layouts. How late a busy machine is in real time is not asked."""
    lane = bed.open_lane(0, [CLASSICAL], TIMEOUT_NS)
    lossy = replace(LINK, bandwidth_bps=2_000_000, loss=RandomLoss(probability_ppm=50_000))
    for link in (lossy, replace(lossy, layout="router")):
        measured = lane.calibrate(link, TCP, 1).measured
        for way, sender in ((measured.up, measured.client), (measured.down, measured.server)):
            assert way.seed_repeats
            assert way.lost > 0
            assert 0 < achieved_rate_bps(way) < 2_100_000
            assert (sender.initcwnd, sender.mtu, sender.congestion_control) == (20, 1500, "cubic")
            assert sender.flight_frame_bytes <= 1514
        assert measured.rtt_p50_ns >= 40 * MS
        assert not names(judge(link, TCP, measured, "real")) - LATE
        half = replace(link, rtt_ns=link.rtt_ns // 2, bandwidth_up_bps=4_000_000, loss=RandomLoss())
        wrong = names(judge(half, Tcp(initcwnd_server=10), measured, "real"))
        assert wrong - LATE >= {("initcwnd", "server"), ("loss", "up"), ("loss", "down")}
        assert wrong >= {("rtt", ""), ("rate", "up")}
    lane.close()
    assert not netem_engine.find("container", everyones())


def names(deviations: Any) -> Any:
    return {(one.what, one.where) for one in deviations}


def test_lanes_side_by_side_do_not_meet(bed: Any, netem_engine: DockerEngine) -> None:
    slow, fast = (bed.open_lane(index, [CLASSICAL], TIMEOUT_NS) for index in range(2))
    near = Link(rtt_ns=4 * MS)
    far = Link(rtt_ns=200 * MS, loss=RandomLoss(probability_ppm=10_000))
    for lane, link, floor in ((slow, far, 600), (fast, near, 12), (slow, far, 600)):
        grid = cells(CLASSICAL, link=link, size=0)
        ((_, timings),) = lane.run(grid, fetches(grid, 1))
        assert timings.outcome == "ok", timings
        assert timings.last_byte_ns >= floor * MS
        if lane is fast:
            assert timings.last_byte_ns < 500 * MS
    slow.close()
    fast.close()
    assert not netem_engine.find("container", everyones())


def test_a_dead_lane_is_an_error_of_the_lane_and_leaves_nothing(bed: Any, netem_engine: DockerEngine) -> None:
    lane = bed.open_lane(0, [CLASSICAL], TIMEOUT_NS)
    for one in netem_engine.find("container", lane_of(this_run(), 0)):
        netem_engine.remove(one)
    grid = cells(CLASSICAL)
    with pytest.raises(Exception, match="stopped answering"):
        list(lane.run(grid, fetches(grid, 1)))
    lane.close()
    assert not netem_engine.find("container", everyones())


def test_clients_prove_themselves_from_one_container_to_the_other(bed: Any) -> None:
    lane = bed.open_lane(0, [CLASSICAL, MUTUAL], TIMEOUT_NS)
    grid = cells(CLASSICAL, MUTUAL)
    outcomes = [timings.outcome for _, timings in lane.run(grid, fetches(grid, 2))]
    lane.close()
    assert outcomes == ["ok"] * 4
    sizes = {served.profile.name: served.client_certificate_wire_bytes for served in lane.facts.served}
    assert sizes["classical"] is None
    assert sizes["mutual"] > 10_000
    assert "PRIVATE" not in str(lane.facts)


def test_a_restart_under_a_lane_gives_no_time_over_an_unshaped_link(bed: Any, netem_engine: DockerEngine) -> None:
    for part in ("client", "server"):
        assert bed.up()
        (container,) = (one for one in netem_engine.find("container", everyones()) if one.labels[ROLE] == part)
        netem_engine._client.restart(container.id, timeout=1)
        with pytest.raises(LaneError, match=f"{container.name} was restarted") as refused:
            bed.open_up_lane([CLASSICAL], TIMEOUT_NS)
        assert "pqbed up" in refused.value.hint
        assert "Traceback" not in refused.value.message
        assert bed.up()
        assert up_lane_fault(netem_engine, this_run().owner) == ""
        with closing(bed.open_up_lane([CLASSICAL], TIMEOUT_NS)) as lane:
            grid = cells(CLASSICAL)
            ((_, timings),) = lane.run(grid, fetches(grid, 1))
        assert timings.outcome == "ok", timings
        assert timings.tcp_connect_ns >= 40 * MS
        take_down(netem_engine, None)


def test_a_restart_during_a_session_is_an_error_of_the_lane(bed: Any, netem_engine: DockerEngine) -> None:
    for part in PARTS:
        with closing(bed.open_lane(0, [CLASSICAL], TIMEOUT_NS)) as lane:
            (container,) = (one for one in netem_engine.find("container", everyones()) if one.labels[ROLE] == part)
            netem_engine._client.restart(container.id, timeout=1)
            grid = cells(CLASSICAL)
            with pytest.raises(PqbedError) as lost:
                list(lane.run(grid, fetches(grid, 1)))
            assert "Traceback" not in lost.value.message
        assert not netem_engine.find("container", everyones())
