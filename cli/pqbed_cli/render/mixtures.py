"""Mixtures of a run as tables: each beside its parts, with the increase of both over the baseline's; and as JSON."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pqbed.report.mixture_rows import MIXED, MOST_PARTS, known, part_change, place_of
from pqbed.report.varying_axes import Axes, split_axes
from pqbed.spec.metric import BYTES, TTLB, Metric
from pqbed.spec.mixture import PPM
from pqbed.stats.bootstrap_estimates import BootstrapEstimate
from pqbed.stats.increases import estimated_increase
from pqbed.stats.mixtures import MEAN, Mixed, MixedStatistic
from pqbed.units import format_percentage
from pqbed_cli.render.number_format import NONE, increase, measured
from pqbed_cli.render.table import Table


def mixture_tables(mixed: Sequence[Mixed], rows: Sequence[Mapping[str, Any]], metric: Metric = TTLB) -> list[Table]:
    """Lay out one table per mixture; `rows` are all cells of the run."""
    axes = split_axes(rows)
    names = list(dict.fromkeys(one.mixture.name for one in mixed))
    return [_table([one for one in mixed if one.mixture.name == name], axes, metric) for name in names]


def mixtures_to_program(mixed: Sequence[Mixed]) -> list[dict[str, Any]]:
    """Return the mixtures as JSON has them; what is not known is null."""
    return [
        {
            "mixture": one.mixture.name,
            "made_of": one.mixture.describe(),
            "profile": one.arm,
            "baseline": one.baseline,
            **{name: one.row[name] for name in ("link_name", "rtt_ns", "size_bytes") if not _is_mixed(name, one)},
            "n": one.n,
            "n_ok": one.n_ok,
            "statistics": {statistic.name: _statistic_to_program(statistic) for statistic in one.statistics},
            "parts": [
                {
                    "cell_id": part.row["cell_id"],
                    "text": part.text,
                    "share": part.share,
                    **{f"{name}_ns": known(value) for name, value in part.values.items()},
                }
                for part in one.parts
            ],
        }
        for one in mixed
    ]


def estimate_text(estimate: BootstrapEstimate, metric: Metric, none: str = NONE) -> str:
    """Return a value with its interval, if there is one: `201.4 (198.0 to 204.9)`."""
    text = measured(known(estimate.point), metric, none)
    if estimate.interval is None or text == none:
        return text
    low, high = (measured(end, metric) for end in estimate.interval)
    return f"{text} ({low} to {high})"


def change_text(statistic: MixedStatistic) -> str:
    """Return the increase of a statistic with its interval; nothing of the baseline's own."""
    change = statistic.increase
    if change is None:
        return ""
    return increase(known(change.point), known(change.low), known(change.high))


def comparison_tables(
    pairs: Sequence[tuple[Mixed, Mixed]], rows: Sequence[Mapping[str, Any]], metric: Metric = TTLB
) -> list[Table]:
    """Lay out mixtures that two runs have; the change is that of the second."""
    axes = split_axes(rows)
    heads = ("where", "profile", "at", f"a {metric.unit}", f"b {metric.unit}", "change")
    names = list(dict.fromkeys(a.mixture.name for a, _ in pairs))
    return [
        Table(
            title=f"{name}: {next(a for a, _ in pairs if a.mixture.name == name).mixture.describe()}; {metric.title}",
            columns=heads,
            rows=tuple(row for a, b in pairs if a.mixture.name == name for row in _compared(a, b, axes, metric)),
            numeric=(3, 4, 5),
            once=(0, 1),
            titles="mixture",
        )
        for name in names
    ]


def _compared(a: Mixed, b: Mixed, axes: Axes, metric: Metric) -> Iterator[tuple[str, ...]]:
    for one, other in zip(a.statistics, b.statistics, strict=True):
        change = estimated_increase(other.estimate, one.estimate)
        yield (
            *(place_of(a, axes), a.arm, one.name),
            *(estimate_text(side.estimate, metric) for side in (one, other)),
            increase(known(change.point), known(change.low), known(change.high)),
        )


def _table(mixed: Sequence[Mixed], axes: Axes, metric: Metric) -> Table:
    names = [statistic.name for statistic in mixed[0].statistics if metric is not BYTES or statistic.name == MEAN]
    rows = tuple(row for one in mixed for row in _rows(one, names, axes, metric))
    heads = ("where", "profile", "part", "share", *names, *(f"increase {name}" for name in names), "finding")
    return Table(
        title=f"{mixed[0].mixture.name}: {mixed[0].mixture.describe()}; {metric.title}",
        columns=heads,
        rows=rows,
        numeric=tuple(range(3, 4 + 2 * len(names))),
        once=(0, 1),
        titles="mixture",
    )


def _rows(one: Mixed, names: Sequence[str], axes: Axes, metric: Metric) -> Iterator[tuple[str, ...]]:
    statistics = [one.statistic(name) for name in names]
    where = place_of(one, axes)
    yield (
        *(where, one.arm, MIXED, ""),
        *(estimate_text(statistic.estimate, metric, _none(one)) for statistic in statistics),
        *(change_text(statistic) for statistic in statistics),
        statistics[0].finding or "",
    )
    if len(one.parts) > MOST_PARTS:
        return
    for part in one.parts:
        yield (
            *(where, one.arm, part.text, format_percentage(round(part.share * PPM))),
            *(measured(known(part.values.get(name, math.nan)), metric) for name in names),
            *(increase(part_change(part, name), None, None) if one.baseline else "" for name in names),
            "",
        )


def _none(one: Mixed) -> str:
    return "failed" if one.n_ok < one.n else NONE


def _is_mixed(column: str, one: Mixed) -> bool:
    columns = {"link_name": "link", "rtt_ns": "rtt", "size_bytes": "size"}
    return columns[column] in one.mixture.options or (column == "rtt_ns" and "link" in one.mixture.options)


def _statistic_to_program(statistic: MixedStatistic) -> dict[str, Any]:
    interval, change = statistic.estimate.interval or (None, None), statistic.increase
    ends = (None, None, None) if change is None else tuple(map(known, (change.point, change.low, change.high)))
    return {
        "value_ns": known(statistic.estimate.point),
        "value_low_ns": interval[0],
        "value_high_ns": interval[1],
        "increase_pct": ends[0],
        "increase_low_pct": ends[1],
        "increase_high_pct": ends[2],
        "noise_pct": known(statistic.noise_pct),
        "finding": statistic.finding,
    }
