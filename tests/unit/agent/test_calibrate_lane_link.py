"""What is set of a link while one of its properties is measured: that one, and nothing that would disturb it."""

from dataclasses import replace
from typing import Any

import pytest

from pqbed.agent.calibrate_lane_link import LinkParts
from pqbed.calibrate.link_changes import watch_ns
from pqbed.spec.cross_traffic import parse_cross_traffic
from pqbed.spec.drop_list import NO_DROPS, DropList
from pqbed.spec.link import Link, PlainLimit, RandomLoss, queue_fields
from pqbed.spec.link_end_shape import with_plain_queues
from pqbed.spec.link_timeline import LinkTrace, Outage, TraceStep
from pqbed.spec.middlebox import Middlebox
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.tcp import Tcp
from support.units import MBIT, MS

PLAIN = Link(rtt_ns=40 * MS, bandwidth_bps=2 * MBIT, layout="router", **queue_fields(PlainLimit(packets=50)))
DRAWN = replace(PLAIN, loss=RandomLoss(probability_ppm=30_000), loss_up=RandomLoss(), jitter_ns=3 * MS, jitter_up_ns=MS)
STEPS = (TraceStep(at_ns=0, delay_ns=50 * MS), TraceStep(at_ns=MS, delay_ns=20 * MS))
TRACE = LinkTrace(name="two", steps=STEPS, period_ns=2 * MS)
TOLD = PathMtu(size_bytes=1400, handling="told")
DROPS = DropList(down=(3, 9))


def test_a_plain_link_is_measured_as_it_is() -> None:
    parts = LinkParts.of(PLAIN)
    assert (parts.whole, parts.bare, parts.changing) == (PLAIN, PLAIN, PLAIN)
    assert (parts.dropping, parts.queueing, parts.disturbing, parts.telling) == (None, None, None, None)
    assert parts.request("server", Tcp(), 1, "virtual").changing is None


def test_what_is_drawn_stays_only_where_draws_are_measured() -> None:
    link = replace(DRAWN, drop=DROPS, queue_discipline="fq_codel", reorder_ppm=1, path_mtu=TOLD)
    parts = LinkParts.of(link)
    assert parts.bare == replace(with_plain_queues(DRAWN), drop=NO_DROPS)
    still = replace(PLAIN, path_mtu=link.path_mtu, drop=DROPS)
    assert parts.dropping == still
    assert parts.queueing == replace(PLAIN, queue_discipline="fq_codel")
    assert parts.telling == replace(PLAIN, queue_discipline="fq_codel", path_mtu=link.path_mtu)
    assert parts.disturbing == replace(PLAIN, reorder_ppm=1)


@pytest.mark.parametrize("change", [{"trace": TRACE}, {"trace_up": TRACE}, {"outage": Outage(at_ns=MS, for_ns=MS)}])
def test_a_link_that_changes_is_watched_in_its_directions(change: dict[str, Any]) -> None:
    link = replace(DRAWN, duplicate_ppm=5, cross_traffic=parse_cross_traffic("down:1", bare=True), **change)
    parts = LinkParts.of(link)
    assert parts.whole == DRAWN
    assert parts.changing == replace(PLAIN, **change)
    assert parts.disturbing == replace(PLAIN, duplicate_ppm=5)
    watched = [
        side
        for side in ("client", "server")
        if (changing := parts.request(side, Tcp(), 1, "virtual").changing) is not None and watch_ns(changing)
    ]
    assert watched == (["client"] if "trace_up" in change else ["client", "server"])


def test_a_middlebox_is_on_no_measured_link() -> None:
    parts = LinkParts.of(replace(PLAIN, middlebox=Middlebox(drops="hello-tail")))
    assert parts.whole == parts.bare == PLAIN
    assert parts.disturbing is None
