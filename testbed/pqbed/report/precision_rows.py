"""Precision of each comparison, and the samples that it took, as rows of a table."""

import polars as pl

from pqbed.report.report_data import ReportData

# Of each comparison: link, size, samples per cell, fetches, half width, status.
PrecisionRow = tuple[str, str, int, int, str, str]

_STATUS_TEXT = {
    "reached": "reached",
    "maximum": "not reached with the maximum of samples",
    "open": "not reached yet",
    "unsupported": "nothing to compare: not supported by the stacks",
}


def precision_rows(precision: pl.DataFrame, data: ReportData) -> list[PrecisionRow]:
    """Return one row per comparison of `precision` (store.precision.PRECISION), in its order."""
    labels = data.cells.select("cell_id", "where", "size")
    rows = precision.select("cell_id", "samples", "fetches", "half_width_pct", "standing").join(
        labels, on="cell_id", how="inner", maintain_order="left"
    )
    return [
        (
            row["where"],
            row["size"],
            row["samples"],
            row["fetches"],
            "none" if row["half_width_pct"] is None else f"{row['half_width_pct']:.2f}",
            _STATUS_TEXT[row["standing"]],
        )
        for row in rows.to_dicts()
    ]
