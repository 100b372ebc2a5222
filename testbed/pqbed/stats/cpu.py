"""The CPU term of a profile and size: the median of its fetches over a bare link."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pqbed.stats.quantiles import quantile, quantile_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuCost:
    """Medians in ns, each with its 95 % interval (NaN: too few fetches), of `n` fetches that succeeded."""

    n: int
    handshake_ns: float
    handshake_interval: tuple[float, float]
    ttlb_ns: float
    ttlb_interval: tuple[float, float]


def cpu_costs(cpu: pl.DataFrame) -> dict[tuple[str, int], CpuCost]:
    """Return the cost by profile and size; those without a fetch that succeeded are left out."""
    found = {}
    ok = cpu.filter(pl.col("outcome") == "ok")
    for (profile, size_bytes), rows in ok.group_by("profile", "size_bytes", maintain_order=True):
        handshake, ttlb = (
            np.sort(rows[name].to_numpy().astype(np.float64)) for name in ("tls_done_ns", "last_byte_ns")
        )
        found[str(profile), int(str(size_bytes))] = CpuCost(
            n=rows.height,
            handshake_ns=quantile(handshake, 0.5),
            handshake_interval=quantile_interval(handshake, 0.5),
            ttlb_ns=quantile(ttlb, 0.5),
            ttlb_interval=quantile_interval(ttlb, 0.5),
        )
    return found
