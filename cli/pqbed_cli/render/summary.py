"""The table of a run: one block a link, one row a size."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pqbed.spec.link import GilbertElliott, Loss, RandomLoss
from pqbed.spec.tcp import Tcp
from pqbed.store.schema import FAILURES, INCREASES
from pqbed.units import format_duration, format_size
from pqbed_cli.render.numbers import NONE, increase, milliseconds
from pqbed_cli.render.sides import losses, rates, sides
from pqbed_cli.render.table import Table

Row = Mapping[str, Any]

# More profiles than these are set one below the other, to keep the table narrow.
MOST_SIDE_BY_SIDE = 2
MOST_FAILURE_LINES = 20
FAILED = "failed"
CONTROL = "congestion control"

# What a block of the table is about, in the order of its title.
LINK_AXES: dict[str, Callable[[Row], str]] = {
    "rtt": lambda row: format_duration(row["rtt_ns"]),
    "bandwidth": lambda row: rates(row["bandwidth_bps"], row["bandwidth_up_bps"]),
    "loss": lambda row: losses(_loss(row, "loss"), None if row["loss_up_model"] is None else _loss(row, "loss_up")),
    "jitter": lambda row: format_duration(row["jitter_ns"]),
    "distribution": lambda row: str(row["distribution"]),
    "queue": lambda row: str(row["queue"]),
    "segmentation": lambda row: str(row["segmentation"]),
    "initcwnd": lambda row: sides(row["initcwnd_server"], row["initcwnd_client"]),
    CONTROL: lambda row: sides(row["congestion_control"], row["congestion_control_client"]),
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
    if values[CONTROL] == [Tcp().congestion_control]:
        del values[CONTROL]
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
    more = len(lines) - MOST_FAILURE_LINES
    return [*lines[:MOST_FAILURE_LINES], f"and {more} cells more"] if more > 0 else lines


def _block(title: str, members: Sequence[Row], percentiles: Sequence[str]) -> Table:
    profiles = list(dict.fromkeys(row["profile"] for row in members))
    lay_out = _wide if len(profiles) <= MOST_SIDE_BY_SIDE else _long
    return lay_out(title, members, profiles, percentiles)


def _wide(title: str, members: Sequence[Row], profiles: Sequence[str], percentiles: Sequence[str]) -> Table:
    """Set the profiles side by side: one row a size."""
    columns = ["size"]
    for profile in profiles:
        columns += [f"{profile} {percentiles[0]}", *percentiles[1:]]
        columns += [] if profile == _baseline(members) else _increase_columns(percentiles)
    by_size: dict[int, dict[str, Row]] = {}
    for row in members:
        by_size.setdefault(row["size_bytes"], {})[row["profile"]] = row
    rows = []
    for size, arms in by_size.items():
        cells = [format_size(size)]
        for profile in profiles:
            cells += _times(arms.get(profile, {}), percentiles)
            cells += [] if profile == _baseline(members) else _increases(arms.get(profile, {}), percentiles)
        rows.append((*cells, _share_ok(list(arms.values()))))
    numeric = tuple(range(len(columns) + 1))
    return Table(title=title, columns=(*columns, "ok"), rows=tuple(rows), numeric=numeric)


def _long(title: str, members: Sequence[Row], profiles: Sequence[str], percentiles: Sequence[str]) -> Table:
    """Set the profiles one below the other: one row a size and profile."""
    columns = ("size", "profile", *percentiles, *_increase_columns(percentiles), "ok")
    order = {profile: number for number, profile in enumerate(profiles)}
    rows: list[tuple[str, ...]] = []
    last_size: int | None = None
    for row in sorted(members, key=lambda row: (row["size_bytes"], order[row["profile"]])):
        size = format_size(row["size_bytes"]) if row["size_bytes"] != last_size else ""
        last_size = row["size_bytes"]
        measured = (*_times(row, percentiles), *_increases(row, percentiles), _share_ok([row]))
        rows.append((size, row["profile"], *measured))
    return Table(title=title, columns=columns, rows=tuple(rows), numeric=(0, *range(2, len(columns))))


def _baseline(members: Sequence[Row]) -> str:
    return next((str(row["baseline"]) for row in members if row.get("baseline")), str(members[0]["profile"]))


def _times(row: Row, percentiles: Sequence[str]) -> list[str]:
    """Return TTLBs. More failures than a percentile leaves room for hide it: it is above all that was seen."""
    none = FAILED if row.get("n_failed") else NONE
    return [milliseconds(row.get(f"{name}_ns"), none) for name in percentiles]


def _increases(row: Row, percentiles: Sequence[str]) -> list[str]:
    if row.get("baseline") is None:
        return [""] * len(_increase_columns(percentiles))
    bounds = ("", "_low", "_high")
    return [increase(*(row.get(f"increase_{name}{bound}_pct") for bound in bounds)) for name in _shown(percentiles)]


def _increase_columns(percentiles: Sequence[str]) -> list[str]:
    return [f"increase {name}" for name in _shown(percentiles)]


def _shown(percentiles: Sequence[str]) -> list[str]:
    """Return the percentile whose increase is shown: the first named that the summary has one for."""
    return [name for name in percentiles if name in INCREASES][:1]


def _share_ok(rows: Sequence[Row]) -> str:
    return f"{sum(row['n_ok'] or 0 for row in rows)}/{sum(row['n'] or 0 for row in rows)}"


def _title(row: Row, varying: Sequence[str]) -> str:
    return ", ".join(f"{name} {LINK_AXES[name](row)}" for name in varying)


def _loss(row: Row, name: str) -> Loss:
    if row[f"{name}_enter_bad_ppm"] is None:
        return RandomLoss(probability_ppm=row[f"{name}_ppm"] or 0)
    return GilbertElliott(
        enter_bad_ppm=row[f"{name}_enter_bad_ppm"],
        leave_bad_ppm=row[f"{name}_leave_bad_ppm"],
        loss_in_bad_ppm=row[f"{name}_in_bad_ppm"],
        loss_in_good_ppm=row[f"{name}_in_good_ppm"],
    )
