"""Number of samples taken under CPU contention."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentionCount:
    """`contended` samples of the `known`: those for which the host reports contention."""

    contended: int
    known: int

    def sentence(self) -> str:
        """Return it as a sentence; empty if there was no contention."""
        if not self.contended:
            return ""
        were = "sample was" if self.contended == 1 else "samples were"
        return f"{self.contended} of {self.known} {were} taken under CPU contention"


def count_contended(samples: pl.LazyFrame) -> ContentionCount:
    """Count contended samples. In virtual time none is known: the host's load cannot change a result."""
    contended, known = (
        samples.select(pl.col("pressed").sum(), pl.col("pressed").count().alias("known")).collect().row(0)
    )
    return ContentionCount(contended=contended, known=known)
