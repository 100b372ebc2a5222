"""What comes back from a worker: the samples of a task as one compressed table, or why there are none."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pqbed.agent.lane_facts import LaneFacts
from pqbed.spec.sample import Sample
from pqbed.store.table_schemas import SAMPLES, conform, sample_to_row


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """Every fetch of the task has its sample. `worker` and `lane` name the lane within the cluster.

    `calibrations` are rows of `store.calibration_table.CALIBRATION`.
    """

    worker: str
    lane: int
    facts: LaneFacts
    table: bytes
    calibrations: Sequence[Mapping[str, Any]]
    failures: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """The worker could not do the task: its lane does not open or does not last, its disk is full."""

    worker: str
    detail: str
    hint: str = ""


def pack_samples(samples: Sequence[Sample]) -> bytes:
    """Return `samples` as an Arrow table, compressed."""
    frame = pl.DataFrame([sample_to_row(sample) for sample in samples], schema=SAMPLES, orient="row")
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def unpack_samples(table: bytes) -> pl.DataFrame:
    """Return the samples that `pack_samples` packed."""
    return conform(pl.read_ipc(io.BytesIO(table)), SAMPLES)
