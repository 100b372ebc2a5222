from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.plan import plan_sweep
from pqbed.report.report_data import ReportData, read_report_data
from pqbed.runner import run_sweep
from pqbed.spec.sweep import Sweep
from pqbed.store.run_directory import Run
from support.profiles import PQ
from support.reports import MakeRun, MeasuredOf
from support.sweeps import CLASSIC, SWEEP, new_run

HYBRID = replace(PQ, name="hybrid", chain=CLASSIC.chain)
WIDE = replace(SWEEP, profiles=(CLASSIC, HYBRID, PQ), samples=40)


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[MakeRun]:
    """Return a maker of runs of the fake bed: what it is given is laid over the small sweep or its bed."""
    opened: list[Run] = []

    def make(sweep: Sweep = WIDE, *, bed: dict[str, Any] | None = None, **changes: Any) -> Run:
        run = new_run(tmp_path / f"{len(opened)}")
        opened.append(run)
        run_sweep(plan_sweep(replace(sweep, **changes)), FakeBed(**(bed or {})), run, lanes=1)
        return run

    yield make
    for run in opened:
        run.close()


@pytest.fixture
def measured_of(make_run: MakeRun) -> MeasuredOf:
    def make(**changes: Any) -> ReportData:
        found = read_report_data(make_run(**changes))
        assert found is not None
        return found

    return make
