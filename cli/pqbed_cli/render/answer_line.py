"""The result of a run in one line per profile: how many times as slow it is as the baseline, and where it is not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pqbed.report.varying_axes import split_axes
from pqbed.spec.metric import BYTES, TTLB, Metric
from pqbed.units import format_size

Row = Mapping[str, Any]


def answer_lines(rows: Sequence[Row], metric: Metric = TTLB) -> Iterator[str]:
    """Yield a sentence for each profile that is compared, from `rows` as `summary_rows` returns them.

    `pq takes 1.07 to 1.90 times as long as classical at p50, most for 0B over rtt 35ms; no difference ...`
    """
    axes = split_axes(rows)
    compared = [row for row in rows if row.get("baseline") and not row["copy_of"] and row[metric.finding("p50")]]
    for profile in dict.fromkeys(row["profile"] for row in compared):
        own = [row for row in compared if row["profile"] == profile]
        differing = sorted(
            (row for row in own if row[metric.finding("p50")] == "differs"),
            key=lambda row: float(row[metric.increase("p50")]),
        )
        rest = "; ".join(_rest(own, metric))
        if not differing:
            yield f"{profile}: {rest}"
            continue
        most = differing[-1]
        place = ", ".join(part for part in (format_size(most["size_bytes"]), axes.title(most)) if part)
        peak = f", most at {place}" if len(differing) > 1 else ""
        times = _times([float(row[metric.increase("p50")]) for row in differing])
        yield f"{profile} {_words(metric, times, own[0]['baseline'])}{peak}" + (f"; {rest}" if rest else "")


def _rest(own: Sequence[Row], metric: Metric) -> Iterator[str]:
    """Say what became of the cells that do not differ: what cannot be told is no finding."""
    undecided = sum(row[metric.finding("p50")] == "undecided" for row in own)
    same = sum(row[metric.finding("p50")] not in ("undecided", "differs") for row in own)
    vague = "sizes not learned" if metric is BYTES else "too few samples to tell"
    for count, words in ((same, f"no difference from {own[0]['baseline']}"), (undecided, vague)):
        if count:
            yield words if count == len(own) else f"{words} in {count} of {len(own)} cells"


def _words(metric: Metric, times: str, baseline: str) -> str:
    if metric.unit == "ms":
        return f"takes {times} times as long as {baseline}{metric.until} at p50"
    if metric is BYTES:
        return f"sends {times} times as many bytes as {baseline} in the handshake"
    return f"retransmits {times} times as often as {baseline} at p50"


def _times(increases: Sequence[float]) -> str:
    """Return the least and the most of increases that differ, in ascending order, as factors."""
    ends = [f"{1 + increase / 100:.2f}" for increase in (increases[0], increases[-1])]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
