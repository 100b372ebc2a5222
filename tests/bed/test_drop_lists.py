"""Every packet of a fetch lost in its turn, in virtual time: what each costs is what the kernel's timers say."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.simulate.jiffies import HZ, expiry_ns
from support.units import MS

pytestmark = pytest.mark.uml

RTT_NS = 100 * MS
# Reading a clock and a program's turn take some microseconds each.
CLOCK_NS = 40_000
# In jiffies. RACK waits for a quarter of the round trip and two more (RFC 8985, tcp_rack_reo_timeout); a time-out is
# the round trip and no less than 200 (RFC 6298, tcp_rto_min), and the wheel has steps of 8 for it.
REORDERED, TIMEOUT = 25 + 2, 100 + 200
WHEEL_STEP_NS = 8 * MS
UP, DOWN = 19, 36
LISTS = ("none", *(f"up:{number}" for number in range(1, UP + 1)), *(f"down:{number}" for number in range(1, DOWN + 1)))
Costs = Mapping[str, Mapping[str, int]]


@pytest.fixture(scope="module", params=["ends", "router"])
def explained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Two fetches for each packet of a hybrid handshake whose ClientHello is two segments."""
    folder = tmp_path_factory.mktemp("drops")
    command = ["sweep", "--bed", "uml", "--lanes", "1", "--samples", "2", "--no-aa", "--profile", "pq", "--size", "20"]
    command += [
        "--rtt",
        "100",
        "--bandwidth",
        "none",
        "--mtu",
        "1280",
        "--initcwnd",
        "20",
        "--layout",
        request.param,
        "--calibrate",
        "off",
    ]
    pqbed(folder, *command, "--calibrate", "off", "--drop", ",".join(LISTS))
    cells: list[dict[str, Any]] = json.loads(pqbed(folder, "explain", "latest", "--json"))["cells"]
    return cells


def pqbed(folder: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300).stdout


@pytest.fixture
def costs(explained: list[dict[str, Any]]) -> Costs:
    """What the loss of each packet costs until the end of each phase, ns, by its name."""
    (whole,) = [cell for cell in explained if not cell["dropped"]]
    ends = {cell["dropped"][0].partition("(")[2][:-1]: _ends(cell) for cell in explained if cell["dropped"]}
    return {name: {phase: end - _ends(whole)[phase] for phase, end in of.items()} for name, of in ends.items()}


def _ends(cell: dict[str, Any]) -> dict[str, int]:
    ends, end = {}, 0.0
    for phase in cell["phases"]:
        end += phase["p50_ns"]
        ends[phase["phase"]] = round(end)
    return ends


def _after(rtts: float, timeout: int) -> int:
    """Return how long a timer takes that is set so many round trips after the SYN to `timeout` jiffies."""
    at_ns = round(rtts * RTT_NS)
    return expiry_ns(at_ns, timeout) - at_ns


def test_what_tcp_s_handshake_loses_waits_for_a_second(costs: Costs) -> None:
    assert abs(costs["SYN"]["transfer"] - _after(0, HZ)) < CLOCK_NS
    assert abs(costs["SYN-ACK"]["connect"] - _after(0.5, HZ)) < CLOCK_NS
    # A server that sent its SYN-ACK twice begins with one segment: 14 take four windows.
    assert abs(costs["SYN-ACK"]["tls"] - costs["SYN-ACK"]["connect"] - 3 * RTT_NS) < CLOCK_NS


def test_a_lost_acknowledgement_costs_nothing(costs: Costs) -> None:
    assert abs(costs["acknowledgement"]["transfer"]) < CLOCK_NS


def test_the_first_segment_of_a_hello_is_repaired_by_rack_and_the_second_by_a_time_out(costs: Costs) -> None:
    assert abs(costs["ClientHello 1 of 2"]["tls"] - RTT_NS - _after(2, REORDERED)) < CLOCK_NS
    assert abs(costs["ClientHello 2 of 2"]["tls"] - RTT_NS - _after(2, TIMEOUT)) < CLOCK_NS


def test_a_lost_segment_of_the_flight_costs_a_round_trip_unless_few_come_behind_it(costs: Costs) -> None:
    expected = {
        **dict.fromkeys(range(1, 12), RTT_NS),
        **dict.fromkeys((12, 13), RTT_NS + _after(2.5, REORDERED)),
        14: RTT_NS + _after(2.5, TIMEOUT),
    }
    off = {number: costs[f"server flight {number} of 14"]["tls"] - cost for number, cost in expected.items()}
    assert {number: by for number, by in off.items() if abs(by) >= CLOCK_NS} == {}


def test_finished_is_repaired_by_rack_because_of_the_request_behind_it(costs: Costs) -> None:
    assert abs(costs["Finished"]["transfer"] - RTT_NS - _after(4, REORDERED)) < CLOCK_NS


def test_the_head_of_a_response_costs_a_round_trip_and_its_tail_a_time_out(costs: Costs) -> None:
    assert abs(costs["response 1 of 18"]["first_byte"] - RTT_NS) < CLOCK_NS
    tail = costs["response 18 of 18"]
    assert abs(tail["first_byte"]) < CLOCK_NS
    assert 0 <= tail["transfer"] - RTT_NS - TIMEOUT * MS < WHEEL_STEP_NS


def test_every_packet_was_lost_in_its_turn(explained: list[dict[str, Any]], costs: Costs) -> None:
    assert len(explained) == len(LISTS)
    assert {f"server flight {number} of 14" for number in range(1, 15)} <= costs.keys()
    assert {f"response {number} of 18" for number in range(1, 19)} <= costs.keys()
    assert [cell for cell in explained if cell["failed"]] == []
