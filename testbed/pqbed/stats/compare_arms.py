"""Comparison of each arm with its baseline: increases, noise floors from the A/A arm, findings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pqbed.stats.block_bootstrap import DRAWS, SEED
from pqbed.stats.classify_difference import Finding, Margin, classify_difference, noise_floor
from pqbed.stats.increases import UNKNOWN, Increase, Pair, paired_increases
from pqbed.stats.quantiles import Floats
from pqbed.stats.sample_grid import find_baselines, find_copies


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """For each row of the cells table: the row of its baseline, and the A/A pair under its conditions.

    `bases` hold None for the baseline's own rows; `copies` if there is no A/A arm.
    """

    bases: Sequence[int | None]
    copies: Sequence[Pair | None]

    @classmethod
    def of(cls, cells: pl.DataFrame, baseline: str) -> "Arms":
        """Raise SpecError if no cell is of `baseline`."""
        return cls(bases=find_baselines(cells, baseline), copies=find_copies(cells))

    def is_copy(self, row: int) -> bool:
        """Return whether the cell is of the A/A arm itself: it has no finding, its increase is noise."""
        pair = self.copies[row]
        return pair is not None and pair[0] == row


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`increases` are quantiles x (point, low, high) x rows, `noise_pct` quantiles x rows; NaN: not known.

    `findings` are quantiles x rows: None for the baseline's own rows and for the A/A arm.
    """

    increases: Floats
    noise_pct: Floats
    findings: Sequence[Sequence[Finding | None]]


def compare_arms(
    values: Floats, arms: Arms, qs: Sequence[float], margin: Margin, *, draws: int = DRAWS, seed: int = SEED
) -> Compared:
    """Compare the rows of `values` (cells x blocks) at the quantiles `qs`."""
    pairs = {row: (row, base) for row, base in enumerate(arms.bases) if base is not None}
    wanted = dict.fromkeys([*pairs.values(), *(pair for pair in arms.copies if pair is not None)])
    by_pair = paired_increases(values, list(wanted), qs, draws, seed)
    increases = np.full((len(qs), 3, len(arms.bases)), math.nan)
    noise = np.full((len(qs), len(arms.bases)), math.nan)
    findings: list[list[Finding | None]] = [[None] * len(arms.bases) for _ in qs]
    for row, copies in enumerate(arms.copies):
        for place in range(len(qs)):
            noise[place, row] = noise_floor(None if copies is None else _at(by_pair, copies, place))
            if row in pairs:
                increase = _at(by_pair, pairs[row], place)
                increases[place, :, row] = (increase.point, increase.low, increase.high)
                if not arms.is_copy(row):
                    findings[place][row] = classify_difference(increase, noise[place, row], margin)
    noise[np.isinf(noise)] = math.nan
    return Compared(increases=increases, noise_pct=noise, findings=findings)


def _at(by_pair: Mapping[Pair, Sequence[Increase]], pair: Pair, place: int) -> Increase:
    return by_pair[pair][place] if pair in by_pair else UNKNOWN
