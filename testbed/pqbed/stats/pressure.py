"""How many samples were taken while others wanted the CPUs."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentionCount:
    """`pressed` samples of the `known`: those of which the host could tell."""

    pressed: int
    known: int

    def sentence(self) -> str:
        """Say it; empty where nothing was pressed."""
        if not self.pressed:
            return ""
        were = "sample was" if self.pressed == 1 else "samples were"
        return f"{self.pressed} of {self.known} {were} taken under CPU pressure"


def count_contended(samples: pl.LazyFrame) -> ContentionCount:
    """Count in `samples`. None is known in virtual time, where the host's load cannot change a result."""
    pressed, known = samples.select(pl.col("pressed").sum(), pl.col("pressed").count().alias("known")).collect().row(0)
    return ContentionCount(pressed=pressed, known=known)
