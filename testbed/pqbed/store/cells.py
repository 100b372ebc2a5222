"""The cells table: what was asked of every cell, and what the kernel confirmed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from pqbed.plan import Plan, link_id
from pqbed.spec.cell import Cell
from pqbed.spec.link import GilbertElliott, Link, Loss, mean_loss_ppm
from pqbed.spec.profile import Profile, chain_text
from pqbed.store.schema import ASKED, CELLS, conform


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
    return conform(pl.DataFrame(rows, schema=ASKED), CELLS)


def _row(identity: str, cell: Cell) -> dict[str, Any]:
    return {
        "cell_id": identity,
        **_profile_columns(cell.profile),
        "link_id": link_id(cell.link, cell.tcp),
        **_link_columns(cell.link),
        "initcwnd_server": cell.tcp.initcwnd_server,
        "initcwnd_client": cell.tcp.initcwnd_client,
        "initrwnd": cell.tcp.initrwnd,
        "congestion_control": cell.tcp.congestion_control,
        "congestion_control_client": cell.tcp.congestion_control_client,
        "mtu": cell.tcp.mtu,
        "http": cell.workload.http,
        "size_bytes": cell.workload.size_bytes,
    }


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


def _link_columns(link: Link) -> dict[str, Any]:
    return {
        "rtt_ns": link.rtt_ns,
        "bandwidth_bps": link.bandwidth_bps,
        **_loss_columns("loss", link.loss),
        "jitter_ns": link.jitter_ns,
        "distribution": link.distribution,
        "queue": link.queue_packets if link.limit_packets is None else None,
        "limit": link.limit_packets,
        "segmentation": link.segmentation,
        "layout": link.layout,
        "bandwidth_up_bps": link.bandwidth_up_bps,
        **_loss_columns("loss_up", link.loss_up),
    }


def _loss_columns(name: str, loss: Loss | None) -> dict[str, Any]:
    burst = loss if isinstance(loss, GilbertElliott) else None
    return {
        f"{name}_ppm": loss and mean_loss_ppm(loss),
        f"{name}_model": loss and loss.kind,
        f"{name}_enter_bad_ppm": burst and burst.enter_bad_ppm,
        f"{name}_leave_bad_ppm": burst and burst.leave_bad_ppm,
        f"{name}_in_bad_ppm": burst and burst.loss_in_bad_ppm,
        f"{name}_in_good_ppm": burst and burst.loss_in_good_ppm,
    }
