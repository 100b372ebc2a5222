"""Floors and expected times of cells: the columns that samples are held against."""

from collections.abc import Mapping

import polars as pl

from pqbed.model.floor_and_expectation import bounds_of
from pqbed.spec.cell import Cell
from pqbed.store.table_schemas import BOUNDED, CELLS, conform
from pqbed.store.wire_size_columns import sizes_from_row
from pqbed.tls.wire_sizes import WireSizes


def bound_cells(table: pl.DataFrame, cells: Mapping[str, Cell]) -> pl.DataFrame:
    """Fill in the floors and expected times of each row of `table`; `cells` are those of the plan, by id."""
    rows = [
        _bounds(cells[row["cell_id"]], row["chain_wire_bytes"], row["client_chain_wire_bytes"], sizes_from_row(row))
        for row in table.to_dicts()
    ]
    return conform(table.with_columns(pl.DataFrame(rows, schema=BOUNDED)), CELLS)


def _bounds(
    cell: Cell, chain_bytes: int | None, client_chain_bytes: int | None, sizes: WireSizes | None
) -> dict[str, int | None]:
    """Return the columns of BOUNDED."""
    bounds = bounds_of(cell, chain_bytes, client_chain_bytes, sizes)
    if bounds is None:
        return {}
    floors, lossless = bounds.floors, bounds.lossless
    columns: dict[str, int | None] = {
        "floor_connect_ns": floors.connect_ns,
        "floor_tls_done_ns": floors.tls_done_ns,
        "floor_ns": floors.last_byte_ns,
    }
    if lossless is not None:
        columns |= {
            "lossless_connect_ns": lossless.connect_ns,
            "lossless_hello_retry_ns": lossless.hello_retry_ns,
            "lossless_tls_done_ns": lossless.tls_done_ns,
            "lossless_first_byte_ns": lossless.first_byte_ns,
            "lossless_ns": lossless.last_byte_ns,
            "expected_ns": lossless.last_byte_ns if bounds.holds else None,
        }
    return columns
