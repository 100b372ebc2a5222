"""Two runs side by side: one row a cell and percentile."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pqbed.report.axes import split_axes
from pqbed.stats.classify import FINDINGS, Margin
from pqbed.units import format_size
from pqbed_cli.render.numbers import increase, milliseconds, noise
from pqbed_cli.render.output import say
from pqbed_cli.render.table import Table, print_tables

Row = Mapping[str, Any]

FAILED = "failed"


def print_comparison(a: Path, b: Path, rows: Sequence[Row], margin: Margin) -> None:
    """Print the table, and how many of its differences amount to what."""
    say(f"a: {a}")
    say(f"b: {b}\n")
    print_tables([comparison_table(rows)])
    say(f"\n{count_line(rows, margin)}")


def comparison_table(rows: Sequence[Row]) -> Table:
    """Lay out `rows` (stats.compare.COMPARED); a link, size or profile is said once."""
    axes = split_axes(rows)
    found = []
    last: tuple[str, ...] = ()
    for row in rows:
        named = (axes.title(row), format_size(row["size_bytes"]), str(row["profile"]))
        found.append((*(("", "", "") if named == last else named), *_measured(row)))
        last = named
    columns = ("link", "size", "profile", "", "a ms", "b ms", "change", "finding", "noise", "ok a", "ok b")
    return Table(
        title="TTLB, and by how much b is slower", columns=columns, rows=tuple(found), numeric=(1, 4, 5, 6, 8, 9, 10)
    )


def count_line(rows: Sequence[Row], margin: Margin) -> str:
    """Say how many findings there are of each kind, and how many differences would be found where there is none."""
    counts = {word: sum(row["finding"] == word for row in rows) for word in FINDINGS}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    bounded = sum(row["change_low_pct"] is not None and row["change_high_pct"] is not None for row in rows)
    chance = f"; of {bounded} equal ones about {max(1, round(0.05 * bounded))} would seem to differ" if bounded else ""
    return f"b against a, at 95 %, equivalent within ±{margin}: {told}{chance}"


def _measured(row: Row) -> tuple[str, ...]:
    return (
        str(row["percentile"]),
        milliseconds(row["a_ns"], FAILED),
        milliseconds(row["b_ns"], FAILED),
        increase(row["change_pct"], row["change_low_pct"], row["change_high_pct"]),
        str(row["finding"]),
        noise(row["noise_pct"]),
        f"{row['n_ok_a']}/{row['n_a']}",
        f"{row['n_ok_b']}/{row['n_b']}",
    )
