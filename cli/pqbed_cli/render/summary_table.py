"""The table of a run: one block per link, one row per size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pqbed.report.varying_axes import split_axes
from pqbed.spec.metric import BYTES, TTLB, Metric
from pqbed.stats.percentiles import percentile_name
from pqbed.stats.quantiles import samples_needed
from pqbed.store.table_schemas import BOUNDS, FAILURES
from pqbed.units import format_size
from pqbed_cli.render.number_format import NONE, increase, measured, milliseconds, noise
from pqbed_cli.render.precision_summary import reached_text
from pqbed_cli.render.table import Table

Row = Mapping[str, Any]

# More profiles than these are set one below the other, to keep the table narrow.
MOST_SIDE_BY_SIDE = 2
MOST_FAILURE_LINES = 20
FAILED, UNSUPPORTED = "failed", "unsupported"
FINDING, NOISE = "finding", "noise"
# Added to the rows of a run with a precision.
REACHED = "_reached"
# Times that are no percentiles, but what the percentiles are held against.
MODELS = ("expected", "floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The metric that is shown. More profiles than `side_by_side` are set one below the other; `kernel` is named."""

    metric: Metric = TTLB
    side_by_side: int = MOST_SIDE_BY_SIDE
    kernel: str = ""


def summary_tables(
    rows: Sequence[Row],
    percentiles: Sequence[str],
    precision: Sequence[Row] = (),
    layout: Layout = Layout(),
) -> list[Table]:
    """Lay out `rows` (cells joined with their summary, in the order of the axes).

    `percentiles` as `p50`; MODELS among them stand beside what was measured. `precision` adds a column on how precise
    each comparison is: rows of PRECISION.
    """
    reached = {row["cell_id"]: reached_text(row) for row in precision}
    rows = [{**row, REACHED: reached.get(row["cell_id"], "")} for row in rows] if reached else rows
    axes = split_axes(rows)
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        blocks.setdefault(axes.title(row), []).append(row)
    heading = layout.metric.heading + (f" on kernel {layout.kernel}" if layout.kernel else "")
    heading += f"; all with {', '.join(axes.common)}" if axes.common else ""
    tables = [_block(title, members, percentiles, layout) for title, members in blocks.items()]
    return [Table(title=heading, columns=(), rows=()), *tables]


def failure_lines(rows: Sequence[Row]) -> list[str]:
    """Return one line for each cell with failed or lost samples: `pq 200KiB, rtt 35ms: 3 timeout`."""
    axes = split_axes(rows)
    lines = []
    for row in rows:
        kinds = [f"{row[f'n_{kind}']} {kind}" for kind in FAILURES if kind != "unsupported" and row.get(f"n_{kind}")]
        if kinds:
            title = axes.title(row)
            lines.append(
                f"{row['profile']} {format_size(row['size_bytes'])}{', ' + title if title else ''}: {', '.join(kinds)}"
            )
    more = len(lines) - MOST_FAILURE_LINES
    return [*lines[:MOST_FAILURE_LINES], f"and {more} more cells"] if more > 0 else lines


def wrong_link_lines(rows: Sequence[Row]) -> list[str]:
    """Return one line for each link that calibration found wrong: `rtt 35ms: rtt: asked 35 ms, achieved 70 ms`."""
    axes = split_axes(rows)
    wrong = {row["link_id"]: row for row in rows if row.get("link_wrong")}
    titles = {name: axes.title(row) for name, row in wrong.items()}
    return [f"{title + ': ' if title else ''}{wrong[name]['link_deviations']}" for name, title in titles.items()]


def reading_lines(rows: Sequence[Row], percentiles: Sequence[float]) -> list[str]:
    """Say what the findings of the shown percentile stand on, and which percentiles have too few samples."""
    lines = []
    copies = [row for row in rows if row["copy_of"]]
    margin = next((row["margin"] for row in rows if row["margin"]), None)
    if copies:
        lines.append(f"noise: the most by which two copies of {copies[0]['copy_of']} differ, at 95%")
    if any(row.get("baseline") for row in rows if not row["copy_of"]):
        lines.append(f"equivalent: within ±{margin}, whether there is a difference or not (two one-sided tests at 5%)")
    counts = [row["n"] for row in rows if row["n"]]
    for percentile in percentiles:
        needed = samples_needed(percentile / 100)
        if counts and min(counts) < needed:
            lines.append(f"{percentile_name(percentile)}: not enough samples for an interval, which takes {needed}")
    return lines


def _block(title: str, members: Sequence[Row], percentiles: Sequence[str], layout: Layout) -> Table:
    """Lay out one link. The A/A arm has no columns of its own: it is the noise."""
    profiles = list(dict.fromkeys(row["profile"] for row in members if not row["copy_of"]))
    lay_out = _wide if len(profiles) <= layout.side_by_side else _long
    return lay_out(title, members, profiles, percentiles, layout.metric)


def _wide(
    title: str, members: Sequence[Row], profiles: Sequence[str], percentiles: Sequence[str], metric: Metric
) -> Table:
    """Set the profiles side by side: one row per size."""
    columns = ["size"]
    for profile in profiles:
        columns += [f"{profile} {_label(metric, percentiles[0])}", *percentiles[1:]]
        columns += [] if profile == _baseline(members) else _increase_columns(percentiles)
    columns += _noise_columns(members)
    by_size: dict[int, dict[str, Row]] = {}
    for row in members:
        by_size.setdefault(row["size_bytes"], {})[row["profile"]] = row
    rows = []
    for size, arms in by_size.items():
        cells = [format_size(size)]
        for profile in profiles:
            cells += _times(arms.get(profile, {}), percentiles, metric)
            cells += [] if profile == _baseline(members) else _increases(arms.get(profile, {}), percentiles, metric)
        cells += [_noise(arms[profiles[0]], percentiles, metric)] * len(_noise_columns(members))
        rows.append((*cells, _share_ok(list(arms.values())), *_reached(list(arms.values()))))
    names = (*columns, "ok", *_reached_column(members))
    return Table(title=title, columns=names, rows=tuple(rows), numeric=_numeric(columns), titles="link")


def _long(
    title: str, members: Sequence[Row], profiles: Sequence[str], percentiles: Sequence[str], metric: Metric
) -> Table:
    """Set the profiles one below the other: one row per size and profile; the noise stands with the first."""
    columns = (
        "size",
        "profile",
        *(_label(metric, name) for name in percentiles),
        *_increase_columns(percentiles),
        *_noise_columns(members),
    )
    order = {profile: number for number, profile in enumerate(profiles)}
    rows: list[tuple[str, ...]] = []
    shown = [row for row in members if row["profile"] in order]
    for row in sorted(shown, key=lambda row: (row["size_bytes"], order[row["profile"]])):
        measured = (*_times(row, percentiles, metric), *_increases(row, percentiles, metric))
        noises = [_noise(row, percentiles, metric)] * len(_noise_columns(members))
        size = format_size(row["size_bytes"])
        rows.append((size, row["profile"], *measured, *noises, _share_ok([row]), *_reached([row])))
    numeric = tuple(place for place in _numeric(columns) if place != 1)
    once = (0, *(place for place, column in enumerate(columns) if column == NOISE))
    names = (*columns, "ok", *_reached_column(members))
    return Table(title=title, columns=names, rows=tuple(rows), numeric=numeric, once=once, titles="link")


def _label(metric: Metric, percentile: str) -> str:
    """Return the heading of a column of values: bytes are the same in every sample."""
    return "bytes" if metric is BYTES else percentile


def _numeric(columns: Sequence[str]) -> tuple[int, ...]:
    """Return the places of all columns but findings, with that of the count after them."""
    return (*(place for place, column in enumerate(columns) if column != FINDING), len(columns))


def _baseline(members: Sequence[Row]) -> str:
    return next((str(row["baseline"]) for row in members if row.get("baseline")), str(members[0]["profile"]))


def _times(row: Row, percentiles: Sequence[str], metric: Metric) -> list[str]:
    """Return TTLBs. More failures than a percentile leaves room for hide it: it is above all that was seen."""
    none = FAILED if row.get("n_failed") else UNSUPPORTED if row.get("n_unsupported") else NONE
    return [
        milliseconds(row.get(f"{name}_ns")) if name in MODELS else measured(row.get(metric.value(name)), metric, none)
        for name in percentiles
    ]


def _increases(row: Row, percentiles: Sequence[str], metric: Metric) -> list[str]:
    """Return the increase at the first percentile named, and what it amounts to; where there is none, to nothing."""
    if row.get("baseline") is None:
        return [""] * len(_increase_columns(percentiles))
    name = percentiles[0]
    text = increase(*(row.get(metric.increase(name, bound)) for bound in BOUNDS))
    return [text, "" if row.get(metric.increase(name)) is None else row.get(metric.finding(name)) or ""]


def _increase_columns(percentiles: Sequence[str]) -> list[str]:
    return [f"increase {percentiles[0]}", FINDING]


def _noise(row: Row, percentiles: Sequence[str], metric: Metric) -> str:
    return noise(row.get(metric.noise(percentiles[0])))


def _noise_columns(members: Sequence[Row]) -> list[str]:
    return [NOISE] if any(row["copy_of"] for row in members) else []


def _reached_column(members: Sequence[Row]) -> list[str]:
    return ["known to"] if REACHED in members[0] else []


def _reached(rows: Sequence[Row]) -> list[str]:
    """Return how precise the comparison is that `rows` are of: it is named after its baseline."""
    return [next((str(row[REACHED]) for row in rows if row[REACHED]), "")] if REACHED in rows[0] else []


def _share_ok(rows: Sequence[Row]) -> str:
    return f"{sum(row['n_ok'] or 0 for row in rows)}/{sum(row['n'] or 0 for row in rows)}"
