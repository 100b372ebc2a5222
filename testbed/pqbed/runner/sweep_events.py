"""Events of a running sweep. All reach the caller's thread, those of one lane in order."""

from collections.abc import Mapping
from dataclasses import dataclass

from pqbed.agent.lane_facts import LaneFacts
from pqbed.calibrate.deviations import Deviation
from pqbed.spec.link import Link
from pqbed.spec.sample import Sample
from pqbed.spec.tcp import Tcp


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStarted:
    """`planned` fetches in total, of which `finished` were done by an earlier process."""

    planned: int
    finished: int
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOpened:
    """`again`: it replaces a lane that failed."""

    lane: int
    facts: LaneFacts
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCalibrated:
    """The link was measured before its first sample. `deviations`: in what it differs from what was asked."""

    lane: int
    link: Link
    tcp: Tcp
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTaken:
    """The sample is in the journal."""

    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTaken:
    """A worker of a cluster has done a task: its samples are in the run. `workers` are those that the cluster has."""

    samples: int
    failed: int
    workers: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFailed:
    """A worker of a cluster could not do a task, or has failed at a lane; another one takes it."""

    worker: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFailed:
    """The lane is lost; it is reopened unless too many failures in a row (`failures`) gave no sample."""

    lane: int
    detail: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDone:
    """All fetches of the block have a sample."""

    lane: int
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReached:
    """A checkpoint of a sweep with a precision, after `blocks` blocks: `left` more samples expected per open cell.

    `expected` fetches are expected in total, finished ones included.
    """

    blocks: int
    left: Mapping[str, int]
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneClosed:
    """`error` is what ended it early, None if its work was done."""

    lane: int
    error: BaseException | None = None


SweepEvent = (
    SweepStarted
    | LaneOpened
    | LinkCalibrated
    | SampleTaken
    | PartTaken
    | WorkerFailed
    | LaneFailed
    | BlockDone
    | CheckpointReached
    | LaneClosed
)
