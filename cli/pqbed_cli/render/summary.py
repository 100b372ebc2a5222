"""The table of a run: one block a link, one row a size, one group of columns a profile."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pqbed.store.schema import FAILURES, INCREASES

from pqbed.spec.link import GilbertElliott, Loss, RandomLoss
from pqbed.spec.parse import format_loss
from pqbed.units import format_duration, format_rate, format_size
from pqbed_cli.render.numbers import increase, milliseconds
from pqbed_cli.render.table import Table

Row = Mapping[str, Any]

# What a block of the table is about, in the order of its title.
LINK_AXES: dict[str, Callable[[Row], str]] = {
    "rtt": lambda row: format_duration(row["rtt_ns"]),
    "bandwidth": lambda row: format_rate(row["bandwidth_bps"]),
    "loss": lambda row: format_loss(_loss(row)),
    "jitter": lambda row: format_duration(row["jitter_ns"]),
    "distribution": lambda row: str(row["distribution"]),
    "queue": lambda row: str(row["queue"]),
    "segmentation": lambda row: str(row["segmentation"]),
    "initcwnd": lambda row: str(row["initcwnd_server"]),
}


def summary_tables(rows: Sequence[Row], percentiles: Sequence[str]) -> list[Table]:
    """Lay out `rows` (cells joined with their summary, in the order of the axes); `percentiles` as `p50`."""
    common, varying = split_axes(rows)
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        blocks.setdefault(_title(row, varying), []).append(row)
    heading = "TTLB in ms" + (f"; all with {', '.join(common)}" if common else "")
    tables = [_block(title, members, percentiles) for title, members in blocks.items()]
    return [Table(title=heading, columns=(), rows=()), *tables]


def split_axes(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return what all rows have in common, worded, and the names of the axes that vary."""
    values = {name: list(dict.fromkeys(show(row) for row in rows)) for name, show in LINK_AXES.items()}
    if all(row["jitter_ns"] == 0 for row in rows):
        del values["jitter"], values["distribution"]
    common = [f"{name} {shown[0]}" for name, shown in values.items() if len(shown) == 1]
    return common, [name for name, shown in values.items() if len(shown) > 1]


def failure_lines(rows: Sequence[Row]) -> list[str]:
    """Return one line for each cell with failed samples: `pq 200KiB, rtt 35ms: 3 timeout`."""
    _common, varying = split_axes(rows)
    lines = []
    for row in rows:
        kinds = [f"{row[f'n_{kind}']} {kind}" for kind in FAILURES if row.get(f"n_{kind}")]
        if kinds:
            title = _title(row, varying)
            lines.append(
                f"{row['profile']} {format_size(row['size_bytes'])}{', ' + title if title else ''}: {', '.join(kinds)}"
            )
    return lines


def _block(title: str, members: Sequence[Row], percentiles: Sequence[str]) -> Table:
    profiles = list(dict.fromkeys(row["profile"] for row in members))
    baseline = next((row["baseline"] for row in members if row.get("baseline")), profiles[0])
    by_size: dict[int, dict[str, Row]] = {}
    for row in members:
        by_size.setdefault(row["size_bytes"], {})[row["profile"]] = row
    columns = ["size"]
    for profile in profiles:
        columns += [f"{profile} {percentiles[0]}", *percentiles[1:]]
        columns += [] if profile == baseline else _increase_columns(percentiles)
    columns.append("ok")
    rows = [
        (
            format_size(size),
            *(cell for profile in profiles for cell in _cells(arms.get(profile), percentiles, profile == baseline)),
            _share_ok(list(arms.values())),
        )
        for size, arms in by_size.items()
    ]
    return Table(title=title, columns=tuple(columns), rows=tuple(rows), numeric=tuple(range(len(columns))))


def _cells(row: Row | None, percentiles: Sequence[str], baseline: bool) -> list[str]:
    row = row or {}
    cells = [milliseconds(row.get(f"{name}_ns")) for name in percentiles]
    if baseline:
        return cells
    return cells + [
        increase(*(row.get(f"increase_{name}{bound}_pct") for bound in ("", "_low", "_high")))
        for name in _increases(percentiles)
    ]


def _increases(percentiles: Sequence[str]) -> list[str]:
    """Return the percentiles whose increase is shown: those named, where the summary has them."""
    return [name for name in percentiles if name in INCREASES]


def _increase_columns(percentiles: Sequence[str]) -> list[str]:
    return [f"increase {name}" for name in _increases(percentiles)]


def _share_ok(rows: Sequence[Row]) -> str:
    return f"{sum(row['n_ok'] or 0 for row in rows)}/{sum(row['n'] or 0 for row in rows)}"


def _title(row: Row, varying: Sequence[str]) -> str:
    return ", ".join(f"{name} {LINK_AXES[name](row)}" for name in varying)


def _loss(row: Row) -> Loss:
    if row["loss_enter_bad_ppm"] is None:
        return RandomLoss(probability_ppm=row["loss_ppm"] or 0)
    return GilbertElliott(
        enter_bad_ppm=row["loss_enter_bad_ppm"],
        leave_bad_ppm=row["loss_leave_bad_ppm"],
        loss_in_bad_ppm=row["loss_in_bad_ppm"],
        loss_in_good_ppm=row["loss_in_good_ppm"],
    )
