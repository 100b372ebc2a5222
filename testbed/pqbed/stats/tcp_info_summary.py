"""TCP_INFO of the client per cell, and drops at the bottleneck's queue: what loss and a full queue did to a fetch.

All counts are of the client's own socket: what the server sent again is not among them (net/capture and `pqbed trace`
show that). Drops are counted by the netem of both directions, in the layout `router` only.
"""

import polars as pl

from pqbed.stats.cell_groups import group_samples
from pqbed.store.table_schemas import SAMPLES

COUNTS = ("retransmits", "lost", "cwnd", "queue_drops")
PERCENTILES = {"p50": 0.5, "p90": 0.9}
TCP_INFO = pl.Schema(
    {"cell_id": SAMPLES["cell_id"], **{f"{count}_{name}": pl.Float64() for count in COUNTS for name in PERCENTILES}}
)


def tabulate_tcp_info(samples: pl.LazyFrame) -> pl.DataFrame:
    """Return one row per cell (TCP_INFO), sorted by id.

    Percentiles are over all fetches that report a count, null if none does.

    Segments for `lost` and `cwnd`, packets for `retransmits` and `queue_drops`.
    """
    columns = [
        pl.col(count).quantile(q, "linear").alias(f"{count}_{name}")
        for count in COUNTS
        for name, q in PERCENTILES.items()
    ]
    parts = [some.group_by("cell_id").agg(columns).collect(engine="streaming") for some in group_samples(samples)]
    kinds = [pl.col(name).cast(kind) for name, kind in TCP_INFO.items()]
    return pl.concat([TCP_INFO.to_frame(), *(part.select(kinds) for part in parts)]).sort("cell_id")
