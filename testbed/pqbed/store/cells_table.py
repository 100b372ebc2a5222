"""The cells table: what was asked of every cell, and what the kernel confirmed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from pqbed.model.frames import segment_bytes
from pqbed.plan import Plan, link_id
from pqbed.spec.axes import AXES
from pqbed.spec.cell import Cell
from pqbed.spec.link_sides import largest_sent
from pqbed.spec.profile import Profile, chain_text, mark_shares
from pqbed.store.table_schemas import ASKED, CELLS, LEARNED, conform
from pqbed.store.wire_size_columns import size_columns
from pqbed.tls.wire_sizes import WireSizes


def tabulate_cells(
    plan: Plan,
    chain_wire_bytes: Mapping[str, int],
    client_chain_wire_bytes: Mapping[str, int | None] = MappingProxyType({}),
    sizes: Mapping[str, Mapping[str, WireSizes]] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return one row a cell of `plan`. By name of the profile: bytes of Certificate messages, learned sizes by kind."""
    rows = [
        {
            **_row(identity, cell),
            "chain_wire_bytes": chain_wire_bytes.get(cell.profile.name),
            "client_chain_wire_bytes": client_chain_wire_bytes.get(cell.profile.name),
            **size_columns(_sizes_of(cell, sizes), segment_bytes(largest_sent(cell.link, cell.tcp))),
        }
        for identity, cell in plan.cells.items()
    ]
    return conform(pl.DataFrame(rows, schema=pl.Schema([*ASKED.items(), *LEARNED.items()])), CELLS)


def _row(identity: str, cell: Cell) -> dict[str, Any]:
    return {
        "cell_id": identity,
        **_profile_columns(cell.profile),
        "link_id": link_id(cell.link, cell.tcp),
        "link_name": cell.link.name,
        **{
            name: value
            for axis in AXES.values()
            for name, value in zip(axis.columns, axis.write(getattr(cell, axis.part)), strict=True)
        },
    }


def _sizes_of(cell: Cell, sizes: Mapping[str, Mapping[str, WireSizes]]) -> WireSizes | None:
    if cell.workload.http != "1.1":
        return None  # they were learned over HTTP/1.1
    return sizes.get(cell.profile.name, {}).get(cell.workload.connection.size_kind)


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
        "groups": mark_shares(profile.offered, profile.key_shares),
        "server_groups": profile.server_groups or profile.group,
        "hello_retry_expected": profile.retries,
    }
