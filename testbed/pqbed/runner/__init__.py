"""Execution of a plan on lanes: order of blocks, lost lanes, resuming, events."""

from pqbed.runner.execute_sweep import SweepOutcome, run_sweep
from pqbed.runner.sweep_events import (
    BlockDone,
    CheckpointReached,
    LaneClosed,
    LaneFailed,
    LaneOpened,
    LinkCalibrated,
    PartTaken,
    SampleTaken,
    SweepEvent,
    SweepStarted,
    WorkerFailed,
)

__all__ = [
    "BlockDone",
    "CheckpointReached",
    "LaneClosed",
    "LaneFailed",
    "LaneOpened",
    "LinkCalibrated",
    "PartTaken",
    "SampleTaken",
    "SweepEvent",
    "SweepOutcome",
    "SweepStarted",
    "WorkerFailed",
    "run_sweep",
]
