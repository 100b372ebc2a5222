"""Samples that are faster than physics allows: their link was not what was asked, or the clock is wrong."""

from typing import NamedTuple

import polars as pl

# Milestone of a sample -> the column of the cells table with its floor.
FLOORS = {"last_byte_ns": "floor_ns", "tls_done_ns": "floor_tls_done_ns", "tcp_connect_ns": "floor_connect_ns"}

BELOW_HINT = "the link was not what was asked, or the clock is wrong: do not use this run"

# libcurl reads its clock in whole microseconds, so a difference of two readings may be short of one.
TICK_NS = 1_000
# netem keeps a packet until CLOCK_MONOTONIC says so, never less (netem_dequeue); but NTP may slew that clock against
# the one libcurl reads, by this much at most (MAXFREQ, include/linux/timex.h). A guest's virtual clock is one and the
# same.
SLEW_PPM = 500


_NS_PER_MS = 1_000_000
# What counts as reached; a fetch over another group than the profile's has other floors.
_REACHED = ("ok", "timeout", "reset", "short_body")


class Below(NamedTuple):
    """The samples of one cell that reach its last milestone with any too early: how many, and the fastest."""

    cell_id: str
    profile: str
    milestone: str
    samples: int
    repetition: int
    least_ns: int
    floor_ns: int

    def sentence(self) -> str:
        """Name the cell in one sentence."""
        milestone = {"tcp_connect_ns": "TCP connect", "tls_done_ns": "end of the handshake"}.get(
            self.milestone, "last byte"
        )
        many, lie = (f"{self.samples} samples", "lie") if self.samples > 1 else ("a sample", "lies")
        came, least = self.least_ns / _NS_PER_MS, self.floor_ns / _NS_PER_MS
        return (
            f"{many} of cell {self.cell_id} ({self.profile}) {lie} below the floor: the {milestone} of repetition "
            f"{self.repetition} came after {came:,.3f} ms, and cannot before {least:,.3f} ms"
        )


def find_below_floor(samples: pl.LazyFrame, cells: pl.DataFrame) -> list[Below]:
    """Return the cells of which something lies below a floor by more than clocks can be off. Cells may lack floors."""
    floors = cells.lazy().select("cell_id", "profile", *FLOORS.values())
    real = pl.col("clock") == "real"
    found: dict[str, Below] = {}
    joined = samples.filter(pl.col("outcome").is_in(_REACHED)).join(floors, on="cell_id", how="inner")
    for milestone, name in FLOORS.items():
        slack = TICK_NS + pl.when(real).then(pl.col(name) * SLEW_PPM // 1_000_000).otherwise(0)
        below = joined.filter(pl.col(milestone) < pl.col(name) - slack)
        rows = below.group_by("cell_id", "profile", maintain_order=True).agg(
            pl.len(),
            pl.col("repetition").sort_by(milestone).first(),
            pl.col(milestone).min(),
            pl.col(name).first(),
        )
        for identity, profile, *rest in rows.collect(engine="streaming").rows():
            found.setdefault(identity, Below(identity, profile, milestone, *rest))
    return list(found.values())
