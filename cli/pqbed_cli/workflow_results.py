"""What workflows return, and `render/` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqbed.algorithm_table.algorithm_rows import AlgorithmRow
from pqbed.beds.bed_interface import BedName
from pqbed.beds.up_session import MeasuredLink, Session
from pqbed.gate.threshold_verdict import ThresholdVerdict, breaks_gate
from pqbed.net.link_state import LinkState
from pqbed.plan import Plan
from pqbed.reproduce import Answer
from pqbed.spec.metric import Metric
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock, RunOptions
from pqbed.spec.sample import NO_FAILURES, Timings
from pqbed.spec.study import Study
from pqbed.spec.sweep import Sweep
from pqbed.stats.below_floor import Below
from pqbed.stats.classify_difference import Margin
from pqbed.stats.cpu_contention import ContentionCount
from pqbed.stats.explain_cells import Explained, LeftOut
from pqbed.stats.mixtures import Mixed
from pqbed.stats.rank_remedies import RankedLink
from pqbed.store.manifest import Manifest
from pqbed.trace.take_trace import Trace
from pqbed_cli.exits import GATE_FAILED, SOME_FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFile:
    """A sweep file that was written from a preset; `cells` is what it measures, the A/A arm included."""

    path: Path
    preset: str
    cells: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledSweep:
    """A sweep and its plan, with everything decided that the request left open. `options` name the bed and clock."""

    sweep: Sweep
    options: RunOptions
    plan: Plan
    bed: BedName
    clock: Clock
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEstimate:
    """What a plan amounts to. `seconds` is wall time, without building artefacts.

    With `precision_ppm` the samples, fetches and seconds are the most; `least` are those up to the first checkpoint.
    `links` are those to be calibrated, within `calibration_seconds` of it.
    """

    cells: int
    samples: int
    fetches: int
    lanes: int
    seconds: float
    precision_ppm: int | None = None
    least: "PlanEstimate | None" = None
    links: int = 0
    calibration_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What `sweep` would do on this host, or if nothing runs here on another. `bed_reason`: which bed and why."""

    bed_reason: str
    settled: SettledSweep
    estimate: PlanEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRemedies:
    """The remedies of a run, ranked, one entry per link and size."""

    path: Path
    manifest: Manifest
    links: Sequence[RankedLink]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The mixtures of a run; `rows`: all its cells."""

    path: Path
    mixed: Sequence[Mixed]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """The table of a run, finished or not: `rows` one per cell, `precision` one per comparison (PRECISION).

    `mixed`: the mixtures of its cells.
    """

    path: Path
    manifest: Manifest
    percentiles: tuple[float, ...]
    metric: Metric
    rows: Sequence[dict[str, Any]]
    mixed: Sequence[Mixed]
    precision: Sequence[dict[str, Any]]
    pressed: ContentionCount
    below_floor: Sequence[Below]
    unsupported: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """`verdicts` on what `title` names; none without thresholds. `annotate`: print them as workflow commands too."""

    title: str
    verdicts: Sequence[ThresholdVerdict]
    annotate: bool = False

    @property
    def exit_code(self) -> int:
        return GATE_FAILED if breaks_gate(self.verdicts) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """`interruption`: after how many samples, and how to resume; empty if the sweep was finished."""

    summary: RunSummary
    interruption: str
    gate: Gate
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """`interruption` as in SweepResult. `kernel`: the release of the guests' kernel, "" if of the default series."""

    path: Path
    study: Study
    answer: Answer
    kernel: str
    below_floor: Sequence[Below]
    interruption: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceResult:
    """`summary` is the content of trace.json."""

    trace: Trace
    folder: Path
    summary: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        return 0 if self.trace.timings.outcome == "ok" else SOME_FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`left_out`: the cells that match, too, and cannot be explained. `remedies` are those that start from a cell."""

    run: Path
    cells: Sequence[Explained]
    left_out: Sequence[LeftOut]
    remedies: Sequence[RankedLink] = ()

    @property
    def below_floor(self) -> list[Below]:
        return [below for cell in self.cells for below in cell.below]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`rows` as of `stats.compare.COMPARED`; `cells`: those of each run, by its folder.

    `mixed`: the mixtures that both runs have.
    """

    a: Path
    b: Path
    across: tuple[str, ...]
    margin: Margin
    metric: Metric
    rows: Sequence[dict[str, Any]]
    mixed: Sequence[tuple[Mixed, Mixed]]
    cells: Mapping[Path, Sequence[dict[str, Any]]]
    gate: Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmTable:
    """`stack` and `liboqs`: the versions asked, or why they were not. `cpu`: whether CPU time was measured."""

    rows: tuple[AlgorithmRow, ...]
    stack: str
    liboqs: str
    cpu: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBed:
    """`artefacts`: the identities of what the bed needs, by name."""

    bed: BedName
    clock: Clock
    artefacts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """The bed that is up, if any. `gone`: why it does not answer any more; empty if it does."""

    session: Session | None
    gone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReading:
    """A link as the kernel has it, and as it was measured, if it was."""

    state: LinkState
    measured: MeasuredLink | None

    @property
    def exit_code(self) -> int:
        return SOME_FAILED if self.measured is not None and self.measured.deviations else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFetches:
    """The fetches of one profile."""

    profile: Profile
    size_bytes: int
    timings: Sequence[Timings]

    @property
    def failed(self) -> bool:
        return any(timings.outcome not in NO_FAILURES for timings in self.timings)
