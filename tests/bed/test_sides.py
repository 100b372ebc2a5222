"""What is set for one side or one direction alone reaches it, and leaves the other as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.units import MS

pytestmark = pytest.mark.uml

RTT_NS = 200 * MS
Case = dict[str, Any]


@pytest.fixture(scope="module")
def cases(uml_guest_run: Callable[..., list[Case]]) -> dict[str, Case]:
    return {row["case"]: row for row in uml_guest_run(Path(__file__).with_name("guest_sides.py"))}


def applied(case: Case, side: str, value: str) -> Any:
    return case["state"][side]["applied"][value]


@pytest.mark.parametrize(
    ("name", "up_bps", "down_bps"),
    [
        ("even", 1_000_000, 1_000_000),
        ("slow up", 100_000, 1_000_000),
        ("free up", None, 1_000_000),
        ("slow down", 1_000_000, 100_000),
    ],
)
def test_each_direction_takes_its_own_time(
    cases: dict[str, Case], name: str, up_bps: int | None, down_bps: int
) -> None:
    case = cases[name]
    assert applied(case, "client", "rate_bps") == up_bps
    assert applied(case, "server", "rate_bps") == down_bps
    sent_ns = case["down"] * 8 * 10**9 // down_bps + (case["up"] * 8 * 10**9 // up_bps if up_bps else 0)
    assert case["timings"]["last_byte_ns"] == pytest.approx(3 * RTT_NS + sent_ns, rel=0.01)


def test_loss_up_loses_what_the_client_sends_and_nothing_else(cases: dict[str, Case]) -> None:
    assert applied(cases["deaf up"], "client", "loss")["probability_ppm"] == 1_000_000
    assert applied(cases["deaf up"], "server", "loss")["probability_ppm"] == 0
    assert cases["deaf up"]["timings"]["outcome"] == "timeout"
    assert cases["deaf up"]["frames_down"] == 0


def test_loss_down_loses_what_the_server_sends_and_nothing_else(cases: dict[str, Case]) -> None:
    assert applied(cases["deaf down"], "client", "loss")["probability_ppm"] == 0
    assert applied(cases["deaf down"], "server", "loss")["probability_ppm"] == 1_000_000
    assert cases["deaf down"]["timings"]["outcome"] == "timeout"
    assert cases["deaf down"]["frames_down"] == 0
    assert cases["deaf down"]["frames_up"] > 1


def test_a_flight_beyond_the_window_of_its_own_side_takes_more_round_trips(cases: dict[str, Case]) -> None:
    wide, client, server = (cases[name]["timings"] for name in ("wide", "narrow client", "narrow server"))
    assert wide["last_byte_ns"] == pytest.approx(3 * RTT_NS, rel=0.01)
    # The client's 12 segments from a window of 2: 2 + 4 + 6.
    assert client["tls_done_ns"] == pytest.approx(wide["tls_done_ns"], rel=0.01)
    assert client["last_byte_ns"] == pytest.approx(5 * RTT_NS, rel=0.01)
    # The server's 2 segments of handshake fit; its 14 of response do not.
    assert server["tls_done_ns"] == pytest.approx(wide["tls_done_ns"], rel=0.01)
    assert server["last_byte_ns"] > wide["last_byte_ns"] + 0.9 * RTT_NS


def test_windows_and_congestion_control_are_those_of_their_side(cases: dict[str, Case]) -> None:
    assert applied(cases["narrow client"], "client", "initcwnd") == 2
    assert applied(cases["narrow client"], "server", "initcwnd") == 20
    controls = {
        name: tuple(applied(cases[name], side, "congestion_control") for side in ("client", "server"))
        for name in ("wide", "bbr server", "bbr client")
    }
    assert controls == {
        "wide": ("cubic", "cubic"),
        "bbr server": ("cubic", "bbr"),
        "bbr client": ("bbr", "cubic"),
    }
