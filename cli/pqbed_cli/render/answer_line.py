"""The result of a run in one line per profile: how many times as slow it is as the baseline, and where it is not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pqbed.report.varying_axes import split_axes
from pqbed.units import format_size

Row = Mapping[str, Any]


def answer_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each profile that is compared, from `rows` as `summary_rows` returns them.

    `pq takes 1.07 to 1.90 times as long as classical at p50, most for 0B over rtt 35ms; no difference ...`
    """
    axes = split_axes(rows)
    compared = [row for row in rows if row.get("baseline") and not row["copy_of"] and row["finding_p50"]]
    for profile in dict.fromkeys(row["profile"] for row in compared):
        own = [row for row in compared if row["profile"] == profile]
        differing = sorted((row for row in own if row["finding_p50"] == "differs"), key=_increase)
        rest = "; ".join(_rest(own))
        if not differing:
            yield f"{profile}: {rest}"
            continue
        most = differing[-1]
        place = ", ".join(part for part in (format_size(most["size_bytes"]), axes.title(most)) if part)
        peak = f", most at {place}" if len(differing) > 1 else ""
        yield f"{profile} takes {_times(differing)} times as long as {own[0]['baseline']} at p50{peak}" + (
            f"; {rest}" if rest else ""
        )


def _rest(own: Sequence[Row]) -> Iterator[str]:
    """Say what became of the cells that do not differ: too few samples to tell is no finding."""
    undecided = sum(row["finding_p50"] == "undecided" for row in own)
    same = sum(row["finding_p50"] not in ("undecided", "differs") for row in own)
    for count, words in ((same, f"no difference from {own[0]['baseline']}"), (undecided, "too few samples to tell")):
        if count:
            yield words if count == len(own) else f"{words} in {count} of {len(own)} cells"


def _increase(row: Row) -> float:
    return float(row["increase_p50_pct"])


def _times(rows: Sequence[Row]) -> str:
    """Return the least and the most of increases that differ, in ascending order, as factors."""
    ends = [f"{1 + _increase(row) / 100:.2f}" for row in (rows[0], rows[-1])]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
