"""Links of a run: what the kernel confirmed, what calibration measured, and which of them are wrong."""

import polars as pl

from pqbed.spec.link import PPM
from pqbed.store.run_directory import Run
from pqbed.store.table_schemas import APPLIED, CELLS, conform


def marked_cells(run: Run) -> pl.DataFrame:
    """Return the cells table of `run` with what calibration measured so far, also during the sweep."""
    return mark_links(run.cells().collect(), run.calibration())


def mark_links(cells: pl.DataFrame, calibration: pl.DataFrame) -> pl.DataFrame:
    """Fill in what calibration measured, and which links are wrong."""
    verdicts = link_verdicts(calibration)
    bare = cells.drop([name for name in verdicts.columns if name != "link_id"], strict=False)
    return conform(bare.join(verdicts, on="link_id", how="left", maintain_order="left"), CELLS)


def confirm_links(cells: pl.DataFrame, samples: pl.LazyFrame) -> pl.DataFrame:
    """Fill in what was applied: what was asked, where every fetch of the cell found it on reading back.

    Null where the cell has no sample yet, or where one of them is a `link_mismatch`.
    """
    seen = samples.group_by("cell_id").agg(link_applied=(pl.col("outcome") != "link_mismatch").all()).collect()
    applied = [pl.when(pl.col("link_applied")).then(pl.col(name)).alias(f"applied_{name}") for name in APPLIED]
    joined = cells.drop("link_applied", strict=False).join(seen, on="cell_id", how="left", maintain_order="left")
    return conform(joined.with_columns(applied), CELLS)


def link_verdicts(calibration: pl.DataFrame) -> pl.DataFrame:
    """Return one row per link, with the columns that the cells table keeps of it.

    A link is wrong if one of its calibrations says so, and then its measurements are from that one.
    """
    worst = calibration.sort("wrong", descending=True, maintain_order=True).unique(
        "link_id", keep="first", maintain_order=True
    )
    return worst.select(
        "link_id",
        link_wrong="wrong",
        link_deviations=pl.col("deviations").list.join("; "),
        achieved_rtt_ns="rtt_p50_ns",
        achieved_bandwidth_bps="down_rate_bps",
        achieved_loss_ppm=_share_ppm("down"),
        achieved_bandwidth_up_bps="up_rate_bps",
        achieved_loss_up_ppm=_share_ppm("up"),
        achieved_limit="down_queue_packets",
        achieved_limit_up="up_queue_packets",
        achieved_mtu=pl.min_horizontal("client_mtu", "server_mtu"),
        achieved_initcwnd_server="server_initcwnd",
        achieved_initcwnd_client="client_initcwnd",
        achieved_congestion_control="server_congestion_control",
        achieved_frame_bytes="server_flight_frame_bytes",
    )


def _share_ppm(direction: str) -> pl.Expr:
    return (PPM * pl.col(f"{direction}_lost") / pl.col(f"{direction}_sent")).round().cast(pl.Int64)
