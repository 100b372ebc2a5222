"""Cells of a run in groups of a bounded number of samples: what is computed group by group needs bounded memory."""

from collections.abc import Iterator

import polars as pl

SAMPLES_TOGETHER = 500_000


def group_samples(samples: pl.LazyFrame, most: int = SAMPLES_TOGETHER) -> Iterator[pl.LazyFrame]:
    """Yield the samples of some cells at a time: at most `most` of them, or those of one cell."""
    counts = samples.group_by("cell_id").len().sort("cell_id").collect(engine="streaming")
    ids: list[str] = []
    total = 0
    for cell_id, count in counts.rows():
        if ids and total + count > most:
            yield samples.filter(pl.col("cell_id").is_in(ids))
            ids, total = [], 0
        ids.append(cell_id)
        total += count
    if ids:
        yield samples.filter(pl.col("cell_id").is_in(ids))
