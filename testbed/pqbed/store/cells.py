"""The cells table: what was asked of every cell, and what the kernel confirmed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from pqbed.expect import bounds_of
from pqbed.plan import Plan, link_id
from pqbed.spec.axes import AXES
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Profile, chain_text
from pqbed.store.calibration import verdicts
from pqbed.store.schema import APPLIED, ASKED, BOUNDED, CELLS, conform


def tabulate_cells(
    plan: Plan,
    chain_wire_bytes: Mapping[str, int],
    client_chain_wire_bytes: Mapping[str, int | None] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return one row a cell of `plan`. Wire bytes are those of the Certificate messages, by name of the profile."""
    rows = [
        {
            **_row(identity, cell),
            "chain_wire_bytes": chain_wire_bytes.get(cell.profile.name),
            "client_chain_wire_bytes": client_chain_wire_bytes.get(cell.profile.name),
        }
        for identity, cell in plan.cells.items()
    ]
    return bound_cells(conform(pl.DataFrame(rows, schema=ASKED), CELLS), plan.cells)


def bound_cells(table: pl.DataFrame, cells: Mapping[str, Cell]) -> pl.DataFrame:
    """Fill in what the fetches of each row of `table` are held against; `cells` are those of the plan, by id."""
    rows = [
        _bounds(cells[row["cell_id"]], row["chain_wire_bytes"], row["client_chain_wire_bytes"])
        for row in table.to_dicts()
    ]
    return conform(table.with_columns(pl.DataFrame(rows, schema=BOUNDED)), CELLS)


def confirm_links(cells: pl.DataFrame, samples: pl.LazyFrame) -> pl.DataFrame:
    """Fill in what was applied: what was asked, where every fetch of the cell found it on reading back.

    Null where the cell has no sample yet, or where one of them is a `link_mismatch`.
    """
    seen = samples.group_by("cell_id").agg(link_applied=(pl.col("outcome") != "link_mismatch").all()).collect()
    applied = [pl.when(pl.col("link_applied")).then(pl.col(name)).alias(f"applied_{name}") for name in APPLIED]
    joined = cells.drop("link_applied", strict=False).join(seen, on="cell_id", how="left", maintain_order="left")
    return conform(joined.with_columns(applied), CELLS)


def mark_links(cells: pl.DataFrame, calibration: pl.DataFrame) -> pl.DataFrame:
    """Fill in what was achieved, and which links are wrong."""
    found = verdicts(calibration)
    bare = cells.drop([name for name in found.columns if name != "link_id"], strict=False)
    return conform(bare.join(found, on="link_id", how="left", maintain_order="left"), CELLS)


def _row(identity: str, cell: Cell) -> dict[str, Any]:
    return {
        "cell_id": identity,
        **_profile_columns(cell.profile),
        "link_id": link_id(cell.link, cell.tcp),
        **{
            name: value
            for axis in AXES.values()
            for name, value in zip(axis.columns, axis.write(getattr(cell, axis.part)), strict=True)
        },
    }


def _bounds(cell: Cell, chain_bytes: int | None, client_chain_bytes: int | None) -> dict[str, int | None]:
    """Return the columns of BOUNDED."""
    bounds = bounds_of(cell, chain_bytes, client_chain_bytes)
    if bounds is None:
        return {}
    floors, lossless = bounds.floors, bounds.lossless
    found: dict[str, int | None] = {
        "floor_connect_ns": floors.connect_ns,
        "floor_tls_done_ns": floors.tls_done_ns,
        "floor_ns": floors.last_byte_ns,
    }
    if lossless is not None:
        found |= {
            "lossless_connect_ns": lossless.connect_ns,
            "lossless_tls_done_ns": lossless.tls_done_ns,
            "lossless_first_byte_ns": lossless.first_byte_ns,
            "lossless_ns": lossless.last_byte_ns,
            "expected_ns": lossless.last_byte_ns if bounds.holds else None,
        }
    return found


def _profile_columns(profile: Profile) -> dict[str, Any]:
    clients = profile.clients_chain
    return {
        "profile": profile.name,
        "stack": profile.stack,
        "client_stack": profile.clients_stack,
        "group": profile.group,
        "chain": chain_text(profile.chain),
        "chain_depth": profile.chain.depth,
        "mutual": profile.mutual,
        "client_chain": None if clients is None else chain_text(clients),
        "copy_of": profile.copy_of,
    }
