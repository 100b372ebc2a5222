"""The whole of a calibration on a link that is computed: right ones pass, and what is wrong with others is named."""

from dataclasses import replace
from typing import Any

import pytest

from pqbed.calibrate.deviations import judge
from pqbed.spec.link_end_shape import EndShape
from support.simulated_link import SimulatedLane
from support.wrong_links import HOLE, OTHERS, RIGHT, TCP, WRONG

FALSE = {name: wrong for name, wrong in {**WRONG, **OTHERS}.items() if not wrong.stages}


def lane_for(link: Any, tcp: Any, **falsify: Any) -> SimulatedLane:
    return SimulatedLane(tcp, layout_stages=link.layout == "router", **falsify)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_link_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link, tcp = RIGHT[name]
    measured = lane_for(link, tcp).calibrate(link, "virtual", monkeypatch)
    assert [deviation.text for deviation in judge(link, tcp, measured, "virtual")] == []


@pytest.mark.parametrize("name", FALSE)
def test_a_wrong_link_is_named_and_only_for_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = FALSE[name]
    lane = lane_for(wrong.asked, wrong.tcp, client=wrong.client, server=wrong.server)
    found = judge(wrong.asked, wrong.tcp, lane.calibrate(wrong.asked, "virtual", monkeypatch), "virtual")
    assert {(one.what, one.where) for one in found} == wrong.found, [one.text for one in found]


@pytest.mark.parametrize("more_bytes", [-1, 1])
def test_a_black_hole_that_is_off_by_a_byte_is_seen(more_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def off(shape: EndShape) -> EndShape:
        return replace(shape, largest_packet=shape.largest_packet and shape.largest_packet + more_bytes)

    measured = lane_for(HOLE, TCP, client=off).calibrate(HOLE, "virtual", monkeypatch)
    assert [(one.what, one.where) for one in judge(HOLE, TCP, measured, "virtual")] == [("path mtu", "up")]
