"""The cells table: what was asked of every cell, and what the kernel confirmed."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from pqbed.model import mean_loss_ppm
from pqbed.plan import Plan
from pqbed.spec.cell import Cell
from pqbed.spec.link import GilbertElliott, Link
from pqbed.spec.profile import Profile
from pqbed.store.schema import APPLIED, ASKED, CELLS, conform


def tabulate_cells(plan: Plan, chain_wire_bytes: Mapping[str, int]) -> pl.DataFrame:
    """Return one row a cell of `plan`. `chain_wire_bytes`: the Certificate message, by name of the profile."""
    rows = [_row(identity, cell, chain_wire_bytes) for identity, cell in plan.cells.items()]
    return conform(pl.DataFrame(rows, schema=ASKED), CELLS)


def confirm_links(cells: pl.DataFrame, samples: pl.LazyFrame) -> pl.DataFrame:
    """Fill in what was applied: what was asked, where every fetch of the cell found it on reading back.

    Null where the cell has no sample yet, or where one of them is a `link_mismatch`.
    """
    seen = samples.group_by("cell_id").agg(link_applied=(pl.col("outcome") != "link_mismatch").all()).collect()
    applied = [pl.when(pl.col("link_applied")).then(pl.col(name)).alias(f"applied_{name}") for name in APPLIED]
    joined = cells.drop("link_applied", strict=False).join(seen, on="cell_id", how="left", maintain_order="left")
    return conform(joined.with_columns(applied), CELLS)


def _row(identity: str, cell: Cell, chain_wire_bytes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "cell_id": identity,
        **_profile_columns(cell.profile, chain_wire_bytes),
        **_link_columns(cell.link),
        "initcwnd_server": cell.tcp.initcwnd_server,
        "initcwnd_client": cell.tcp.initcwnd_client,
        "initrwnd": cell.tcp.initrwnd,
        "congestion_control": cell.tcp.congestion_control,
        "mtu": cell.tcp.mtu,
        "http": cell.workload.http,
        "size_bytes": cell.workload.size_bytes,
    }


def _profile_columns(profile: Profile, chain_wire_bytes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "stack": profile.stack,
        "group": profile.group,
        "chain": profile.chain.algorithm,
        "chain_depth": profile.chain.depth,
        "chain_wire_bytes": chain_wire_bytes.get(profile.name),
        "mutual": profile.mutual,
    }


def _link_columns(link: Link) -> dict[str, Any]:
    burst = link.loss if isinstance(link.loss, GilbertElliott) else None
    return {
        "rtt_ns": link.rtt_ns,
        "bandwidth_bps": link.bandwidth_bps,
        "loss_ppm": mean_loss_ppm(link.loss),
        "loss_model": link.loss.kind,
        "loss_enter_bad_ppm": burst and burst.enter_bad_ppm,
        "loss_leave_bad_ppm": burst and burst.leave_bad_ppm,
        "loss_in_bad_ppm": burst and burst.loss_in_bad_ppm,
        "loss_in_good_ppm": burst and burst.loss_in_good_ppm,
        "jitter_ns": link.jitter_ns,
        "distribution": link.distribution,
        "queue": link.queue_packets if link.limit_packets is None else None,
        "limit": link.limit_packets,
        "segmentation": link.segmentation,
        "layout": link.layout,
    }
