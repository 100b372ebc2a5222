"""Beds for the workers of a cluster in tests: importable there, and with the faults of a worker."""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pqbed.beds.fake_bed import FakeBed, FakeLane
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings


def fake_bed() -> FakeBed:
    return FakeBed()


class FaultyBed(FakeBed):
    """A fake bed that does something in its worker at a fetch: `fault` gets the fetch."""

    def __init__(self, fault: "Fault", sleep_s: float = 0.0) -> None:
        super().__init__(sleep_s=sleep_s)
        self.fault = fault

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> "FaultyLane":
        return FaultyLane(self, index, profiles, timeout_ns)


class FaultyLane(FakeLane):
    _bed: FaultyBed

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        for fetch, timings in super().run(cells, fetches):
            self._bed.fault(fetch)
            yield fetch, timings


class Fault:
    """Strikes at the fetch `at` (cell, repetition). Each worker that it has struck leaves a file in `struck`."""

    def __init__(self, at: tuple[str, int], struck: Path, most: int = 1) -> None:
        self.at, self.struck, self.most = at, struck, most

    def __call__(self, fetch: Fetch) -> None:
        if (fetch.cell_id, fetch.repetition) == self.at and len(list(self.struck.iterdir())) < self.most:
            (self.struck / f"{os.getpid()}-{time.monotonic_ns()}").touch()
            self.strike()

    def strike(self) -> None:
        raise NotImplementedError


class Kill(Fault):
    """The worker is killed."""

    def strike(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class FullDisk(Fault):
    """The worker's disk is full."""

    def strike(self) -> None:
        raise OSError(28, "No space left on device", "/tmp/guest")


class Defect(Fault):
    """Something that nobody has thought of."""

    def strike(self) -> None:
        raise ZeroDivisionError("a defect")
