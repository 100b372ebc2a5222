"""Figure of remedies: how much of the TTLB each saves, one panel per link."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from pqbed.report.figures.figure_panels import MOST_PANELS, Figure, Panel, chart_panel
from pqbed.report.report_data import ReportData
from pqbed.stats.rank_remedies import RankedLink, rank_remedies
from pqbed.store.table_schemas import CONDITIONS
from pqbed.units import NS_PER_MS

BAR_HEIGHT = 22
KINDS = ("measured", "by size")


def draw_remedies_of(data: ReportData) -> Figure:
    """Draw the remedies of a run."""
    values = data.percentiles.filter(pl.col("percentile").is_in(["p50", "p90"]))
    times = values.pivot("percentile", index="cell_id", values="value_ns")
    missing = [pl.lit(None, pl.Float64).alias(f"{name}_ns") for name in ("p50", "p90") if name not in times.columns]
    times = times.rename({name: f"{name}_ns" for name in ("p50", "p90") if name in times.columns})
    rows = data.cells.join(times.with_columns(missing), on="cell_id", how="left", maintain_order="left").to_dicts()
    links = rank_remedies(rows, list(CONDITIONS))
    return draw_remedies(links, [link.title for link in links])


def draw_remedies(links: Sequence[RankedLink], titles: Sequence[str]) -> Figure:
    """Draw a bar per remedy and a panel per link, named by `titles`; a censored TTLB has no bar."""
    profile = links[0].helped["profile"] if links else ""
    panels = [_panel(link, title) for link, title in zip(links, titles, strict=True)]
    return Figure(
        name="remedies",
        title="What would help",
        summary=f"How much sooner the last byte comes at p50 than with {profile}, in per cent of its TTLB.",
        reading="A bar to the left is a remedy that makes it later. By size: padded to the bytes of the remedy.",
        panels=tuple(panels[:MOST_PANELS]),
        notes=(f"The first {MOST_PANELS} of {len(panels)} links are drawn.",) if len(panels) > MOST_PANELS else (),
        wide=True,
    )


def _panel(link: RankedLink, title: str) -> Panel:
    whole = link.helped["p50_ns"]
    rows = [
        {
            "remedy": one.remedy.title,
            "saved": 100 * one.saved_ns / whole,
            "kind": KINDS[one.remedy.by_size],
            "text": f"{round(one.saved_ns / NS_PER_MS, 1) + 0.0:.1f} ms",
        }
        for one in link.remedies
        if one.saved_ns is not None and whole
    ]
    return chart_panel(title, _layers(pl.DataFrame(rows)), height=BAR_HEIGHT * max(1, len(rows)))


def _layers(rows: pl.DataFrame) -> list[alt.Chart]:
    base = alt.Chart(rows).encode(
        x=alt.X("saved:Q", title="Saved of the TTLB at p50 (%)", scale=alt.Scale(padding=60)),
        y=alt.Y("remedy:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
    )
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=list(KINDS)))
    later = base.transform_filter("datum.saved < 0").mark_text(align="right", dx=-4).encode(text="text:N")
    sooner = base.transform_filter("datum.saved >= 0").mark_text(align="left", dx=4).encode(text="text:N")
    return [base.mark_bar().encode(color=colour), later, sooner]
