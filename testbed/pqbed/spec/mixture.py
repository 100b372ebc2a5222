"""Mixtures of cells: connections, links, sizes or profiles by their shares, as one population has them."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pqbed.units import format_percentage

PPM = 1_000_000
# What may be weighted besides the axes.
PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One value, the text that a sweep file has for it, and its share in ppm."""

    value: Any
    text: str
    share_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """Values of one axis, by its option, or profiles (`profile`). Their shares add up to one."""

    option: str
    shares: tuple[Share, ...]

    def describe(self) -> str:
        """Return `80% resumed, 20% full`, the largest share first."""
        ordered = sorted(self.shares, key=lambda share: -share.share_ppm)
        return ", ".join(f"{format_percentage(share.share_ppm)} {share.text}" for share in ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Values of several axes are independent of each other: a cell's share is the product of theirs."""

    name: str
    weights: tuple[Weighted, ...]

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(weighted.option for weighted in self.weights)

    def parts(self, without: str = "") -> Iterator[tuple[tuple[Share, ...], float]]:
        """Yield the values of every part, in the order of `options`, and its share; `without` leaves out one option."""
        weights = [weighted.shares for weighted in self.weights if weighted.option != without]
        for chosen in itertools.product(*weights):
            yield chosen, math.prod(share.share_ppm / PPM for share in chosen)

    def describe(self) -> str:
        return "; ".join(weighted.describe() for weighted in self.weights)
