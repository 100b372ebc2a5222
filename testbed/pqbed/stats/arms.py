"""Every arm against its baseline and beside the A/A arm of its conditions: increases, noise floors, findings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pqbed.stats.classify import Finding, Margin, find, noise_floor
from pqbed.stats.grid import find_baselines, find_copies
from pqbed.stats.increases import DRAWS, SEED, UNKNOWN, Increase, Pair, paired_increases
from pqbed.stats.quantiles import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """For each cell, by rows of the cells table: its baseline's cell, and the A/A pair of its conditions.

    `bases` hold None for the baseline's own; `copies` where nothing was measured twice.
    """

    bases: Sequence[int | None]
    copies: Sequence[Pair | None]

    @classmethod
    def of(cls, cells: pl.DataFrame, baseline: str) -> "Arms":
        """Raise SpecError where no cell is of `baseline`."""
        return cls(bases=find_baselines(cells, baseline), copies=find_copies(cells))

    def is_copy(self, row: int) -> bool:
        """Tell whether the cell is of the A/A arm itself: nothing is found of it, its increase is noise."""
        pair = self.copies[row]
        return pair is not None and pair[0] == row


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`increases` are shares x (point, low, high) x rows, `noise_pct` shares x rows; NaN: not known.

    `findings` are, by share, one a row: None for the baseline's own and for the A/A arm.
    """

    increases: Floats
    noise_pct: Floats
    findings: Sequence[Sequence[Finding | None]]


def compare_arms(
    values: Floats, arms: Arms, shares: Sequence[float], margin: Margin, *, draws: int = DRAWS, seed: int = SEED
) -> Compared:
    """Compare the rows of `values` (cells x blocks) at the quantiles `shares`."""
    pairs = {row: (row, base) for row, base in enumerate(arms.bases) if base is not None}
    wanted = dict.fromkeys([*pairs.values(), *(pair for pair in arms.copies if pair is not None)])
    found = paired_increases(values, list(wanted), shares, draws, seed)
    increases = np.full((len(shares), 3, len(arms.bases)), math.nan)
    noise = np.full((len(shares), len(arms.bases)), math.nan)
    findings: list[list[Finding | None]] = [[None] * len(arms.bases) for _ in shares]
    for row, copies in enumerate(arms.copies):
        for place in range(len(shares)):
            noise[place, row] = noise_floor(None if copies is None else _at(found, copies, place))
            if row in pairs:
                increase = _at(found, pairs[row], place)
                increases[place, :, row] = (increase.point, increase.low, increase.high)
                if not arms.is_copy(row):
                    findings[place][row] = find(increase, noise[place, row], margin)
    noise[np.isinf(noise)] = math.nan
    return Compared(increases=increases, noise_pct=noise, findings=findings)


def _at(found: Mapping[Pair, Sequence[Increase]], pair: Pair, place: int) -> Increase:
    return found[pair][place] if pair in found else UNKNOWN
