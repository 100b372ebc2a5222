"""CPU term of a profile and size: medians of fetches over an unshaped link on the real clock."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuCost:
    """Medians in ns. The handshake is that of the profile, whatever is fetched after it."""

    handshake_ns: float
    ttlb_ns: float


def cpu_costs(cpu: pl.DataFrame) -> dict[tuple[str, int], CpuCost]:
    """Return the cost by profile and size; those without a successful fetch are left out."""
    ok = cpu.filter(pl.col("outcome") == "ok").with_columns(after_ns=pl.col("last_byte_ns") - pl.col("tls_done_ns"))
    handshakes = dict(ok.group_by("profile").agg(pl.col("tls_done_ns").median()).rows())
    after = ok.group_by("profile", "size_bytes").agg(pl.col("after_ns").median()).rows()
    return {
        (profile, size_bytes): CpuCost(handshake_ns=handshakes[profile], ttlb_ns=handshakes[profile] + after_ns)
        for profile, size_bytes, after_ns in after
    }
