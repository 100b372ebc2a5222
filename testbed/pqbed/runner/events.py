"""What a sweep tells while it runs. All events reach the caller's thread, each lane's in order."""

from collections.abc import Mapping
from dataclasses import dataclass

from pqbed.agent.facts import LaneFacts
from pqbed.calibrate.judge import Deviation
from pqbed.spec.link import Link
from pqbed.spec.sample import Sample
from pqbed.spec.tcp import Tcp


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStarted:
    """`planned` fetches in all, of which `finished` were done by an earlier process."""

    planned: int
    finished: int
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOpened:
    """`again`: it takes the place of one that failed."""

    lane: int
    facts: LaneFacts
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCalibrated:
    """The link was measured before its first sample. `deviations` is what is wrong with it."""

    lane: int
    link: Link
    tcp: Tcp
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTaken:
    """It is in the journal."""

    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFailed:
    """The lane is gone; it will be opened again, unless it failed `failures` times without a sample too often."""

    lane: int
    detail: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDone:
    """All fetches of the block have their sample."""

    lane: int
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A look at a sweep with a precision, after `blocks` blocks: `left` more samples are expected of each open cell.

    `expected` fetches are expected in all, those that are done included.
    """

    blocks: int
    left: Mapping[str, int]
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneClosed:
    """`error` is what ended it before the work was done, else None."""

    lane: int
    error: BaseException | None = None


SweepEvent = SweepStarted | LaneOpened | LinkCalibrated | SampleTaken | LaneFailed | BlockDone | Judged | LaneClosed
