"""A lane behind a channel: what a failed fetch is taken for."""

import collections
import json

import pytest

from pqbed.agent.lane_facts import LaneFacts
from pqbed.beds.agent_lane import AgentLane
from pqbed.errors import LaneGoneError
from pqbed.spec.json_codec import to_json
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Timings
from support.sweeps import small_plan

PLAN = small_plan(samples=1)
FAILED = Timings(outcome="reset", detail="connection reset")
STUB_LOST = "wait_stub_done_seccomp : failed to wait for stub, pid = -1, errno = 11"


class Scripted:
    """A process that answers the calls of a lane; `timings` are those of its fetches, `console` what it says first."""

    def __init__(self, timings: Timings, console: str = "", *, stops: bool = False) -> None:
        self._began, self._stops = False, stops
        self._timings = timings
        self._console = console
        self._lines = collections.deque([json.dumps({"id": 0, "done": None})])

    def write(self, text: str) -> None:
        request = json.loads(text)
        number, call = request["id"], request["call"].partition(".")[2]
        if call == "run_indexed":
            self._lines += [self._console] * bool(self._console)
            self._lines += [
                json.dumps({"id": number, "item": to_json(self._timings)}) for _ in request["with"]["seeds"]
            ]
        result = to_json(LaneFacts(kernel="7.3.4")) if call == "start" else None
        self._lines.append(json.dumps({"id": number, "done": result}))

    def readline(self, timeout_s: float) -> str:
        del timeout_s
        return self._lines.popleft() + "\n" if self._lines else ""

    def was_stopped(self) -> bool:
        """Say once that it was stopped, after its first fetch has begun."""
        began, self._began = self._began, True
        return began and self._stops

    def last_words(self) -> str:
        return ""

    def close(self) -> None:
        pass


def fetch_once(process: Scripted, clock: Clock = "virtual") -> Timings:
    lane = AgentLane(0, process, (), 10**9, clock)
    ((_, timings),) = lane.run(PLAN.cells, PLAN.block(0)[:1])
    return timings


def test_what_fails_in_a_guest_that_is_whole_stays_a_failure() -> None:
    assert fetch_once(Scripted(FAILED)) == FAILED
    assert fetch_once(Scripted(FAILED, "nginx[7]: segfault at 0 ip 0")) == FAILED


def test_what_fails_in_a_guest_of_which_the_host_killed_a_process_is_no_sample() -> None:
    with pytest.raises(LaneGoneError, match="the host killed a process of lane 0: reset"):
        fetch_once(Scripted(FAILED, STUB_LOST))


def test_a_fetch_that_succeeds_counts_whatever_the_host_killed() -> None:
    fine = Timings(outcome="ok", last_byte_ns=1)
    assert fetch_once(Scripted(fine, STUB_LOST)) == fine


def test_a_fetch_during_which_the_lane_was_stopped_is_no_sample_unless_its_clock_stood_still_too() -> None:
    fine = Timings(outcome="ok", last_byte_ns=1)
    assert fetch_once(Scripted(fine), "real") == fine
    assert fetch_once(Scripted(fine, stops=True), "virtual") == fine
    with pytest.raises(LaneGoneError, match="lane 0 was stopped by a signal"):
        fetch_once(Scripted(fine, stops=True), "real")
