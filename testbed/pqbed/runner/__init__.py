"""Plan x lanes -> store: order, lane deaths, resume, events."""

from pqbed.runner.events import (
    BlockDone,
    Judged,
    LaneClosed,
    LaneFailed,
    LaneOpened,
    LinkCalibrated,
    SampleTaken,
    SweepEvent,
    SweepStarted,
)
from pqbed.runner.sweep import SweepOutcome, run_sweep

__all__ = [
    "BlockDone",
    "Judged",
    "LaneClosed",
    "LaneFailed",
    "LaneOpened",
    "LinkCalibrated",
    "SampleTaken",
    "SweepEvent",
    "SweepOutcome",
    "SweepStarted",
    "run_sweep",
]
