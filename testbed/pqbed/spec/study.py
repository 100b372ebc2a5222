"""A published study: its sweeps, what was claimed of them, and what counts as the same. Fixed before anything runs."""

from dataclasses import dataclass
from typing import Literal

from pqbed.spec.sweep import Sweep

MeasureKind = Literal[
    "ttlb",
    "increase",
    "largest increase",
    "increase over a sweep",
    "ratio of increases",
    "chain",
    "none",
]
FigureKind = Literal["bars", "lines", "curves"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How a claim is measured again, in cells of `sweep` with `profile` and `size_bytes`.

    - ttlb: the time, ms, and `rtts` round trips that the study's timer counts in addition;
    - increase: over the sweep's first profile, per cent;
    - largest increase: the same, of all sizes;
    - increase over a sweep: over the same profile and size in sweep `over`, per cent;
    - ratio of increases: the mean increase over all links of the sweep, over that of profile `over`;
    - chain: the Certificate message, KB;
    - none: it was published and is not measured.
    """

    kind: MeasureKind
    sweep: str = ""
    profile: str = ""
    size_bytes: int | None = None
    over: str = ""
    rtts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One published number at one percentile (None: it has none).

    `published` is its row in the numbers of the literature; `low` and `high` (None: no bound) are the band, `basis` the
    words that it follows from; `why` is said where the number is outside or not measured.
    """

    name: str
    question: str
    published: str
    measure: Measure
    percentile: float | None = None
    low: float | None = None
    high: float | None = None
    basis: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFigure:
    """A published figure, drawn again from its sweeps: bars by percentile, lines over size, or one curve a sweep."""

    number: str
    kind: FigureKind
    title: str
    sweeps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """`published` names the file of its numbers. `empty_is_handshake`: at 0 bytes nothing but the handshake counts.

    `network_alone`: in virtual time no CPU time is added before a number is judged.
    """

    name: str
    title: str
    published: str
    empty_is_handshake: bool
    network_alone: bool = False
    samples: int
    seed: int
    sweeps: dict[str, Sweep]
    claims: tuple[Claim, ...]
    figures: tuple[StudyFigure, ...]
