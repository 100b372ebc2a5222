"""What each comparison of a run with a precision took, as rows of a table."""

import polars as pl

from pqbed.report.report_data import Measured

# Of each comparison: link, size, samples of each cell, fetches, half width, where it stands.
Row = tuple[str, str, int, int, str, str]

_STANDINGS = {
    "reached": "reached",
    "maximum": "not reached with the most samples allowed",
    "open": "not reached yet",
    "unsupported": "nothing to compare: the stacks cannot speak it",
}


def tell_precision(precision: pl.DataFrame, measured: Measured) -> list[Row]:
    """Return one row a comparison of `precision` (store.precision.PRECISION), in its order."""
    labels = measured.cells.select("cell_id", "where", "size")
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
            _STANDINGS[row["standing"]],
        )
        for row in rows.to_dicts()
    ]
