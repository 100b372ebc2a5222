"""Number of samples taken under CPU contention."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentionCount:
    """`pressed` (contended) samples of the `known`: those for which the host reports contention."""

    pressed: int
    known: int

    def sentence(self) -> str:
        """Return it as a sentence; empty if there was no contention."""
        if not self.pressed:
            return ""
        were = "sample was" if self.pressed == 1 else "samples were"
        return f"{self.pressed} of {self.known} {were} taken under CPU contention"


def count_contended(samples: pl.LazyFrame) -> ContentionCount:
    """Count contended samples. In virtual time none is known: the host's load cannot change a result."""
    contended, known = (
        samples.select(pl.col("pressed").sum(), pl.col("pressed").count().alias("known")).collect().row(0)
    )
    return ContentionCount(pressed=contended, known=known)
