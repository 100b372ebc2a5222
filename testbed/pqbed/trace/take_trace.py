"""Capture of one trace: one fetch of one cell on a lane, and its segments."""

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from pqbed.agent.fetch_trace import Traced
from pqbed.agent.lane_facts import LaneFacts
from pqbed.beds.bed_interface import Bed, BedName
from pqbed.errors import HostError, SpecError
from pqbed.net.pcap import read_pcap
from pqbed.plan import plan_sweep
from pqbed.spec.axes import axes_shown
from pqbed.spec.cell import Cell
from pqbed.spec.grid import values_in
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import JITTER_REACH
from pqbed.spec.link_sides import SIDES, delay_of, jitter_of
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.sweep import Sweep
from pqbed.trace.flights import ObservedFlight, find_flights
from pqbed.trace.segments import Segment, read_segments
from pqbed.trace.timer_waits import Wait, find_waits

# Allowance for queueing at the bottleneck, in addition to the link's delay.
_BOTTLENECK_NS = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One fetch and everything captured of it."""

    cell: Cell
    fetch: Fetch
    timings: Timings
    segments: tuple[Segment, ...]
    flights: tuple[ObservedFlight, ...]
    waits: tuple[Wait, ...]
    bed: BedName
    clock: Clock
    facts: LaneFacts
    artefacts: Mapping[str, str]


def one_cell(sweep: Sweep) -> Sweep:
    """Return `sweep` reduced to its one cell. Raises SpecError if it has several, naming an axis."""
    counts = {"--profile": len(sweep.profiles), **{axis.flag: len(values_in(axis, sweep)) for axis in axes_shown()}}
    for flag, count in counts.items():
        if count > 1:
            raise SpecError(
                f"a trace is one fetch of one cell, and {flag} has {count} values",
                f"name one value with {flag}" + (", and one stack" if flag == "--profile" else ""),
            )
    if sweep.connection[0].kind == "reused":
        raise SpecError(
            "a trace shows a connection from its SYN on, and a reused one is timed from its second request",
            "trace --connection full, resumed or early",
        )
    return dataclasses.replace(sweep, aa=False, samples=1)


def take_trace(bed: Bed, sweep: Sweep, repetition: int, artefacts: Mapping[str, str]) -> tuple[Trace, Traced]:
    """Fetch the one cell of `sweep` with the random streams of `repetition`, as the sweep itself would.

    Raises SpecError for several cells, HostError if nothing could be captured.
    """
    plan = plan_sweep(one_cell(sweep))
    ((cell_id, cell),) = plan.cells.items()
    (fetch,) = plan.block(repetition)
    with contextlib.closing(bed.open_lane(0, plan.profiles, sweep.timeout_ns)) as lane:
        traced = lane.trace(cell, fetch)
        facts = lane.facts
    timings = traced.fetch.timings
    if traced.fetch.ended_ns is None:
        raise HostError(f"cell {cell_id} was not fetched: {timings.outcome}: {timings.detail}")
    segments = read_segments(
        read_pcap(traced.client_pcap),
        read_pcap(traced.server_pcap),
        delay_ns=_longest_delay_ns(cell.link),
        ended_ns=traced.fetch.ended_ns,
    )
    trace = Trace(
        cell=cell,
        fetch=fetch,
        timings=timings,
        segments=segments,
        flights=find_flights(segments, cell.profile, timings, cell.workload.connection.kind),
        waits=find_waits(segments),
        bed=bed.name,
        clock=bed.clock,
        facts=facts,
        artefacts=artefacts,
    )
    return trace, traced


def _longest_delay_ns(link: Link) -> int:
    return max(delay_of(link, side) + JITTER_REACH * jitter_of(link, side) for side in SIDES) + _BOTTLENECK_NS
