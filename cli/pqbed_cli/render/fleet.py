"""A population: what a profile costs it in one number, and how much of that each part contributes."""

import math
from collections.abc import Iterator

from pqbed.report.mixture_rows import known, place_of
from pqbed.report.varying_axes import split_axes
from pqbed.spec.metric import TTLB
from pqbed.spec.mixture import PPM
from pqbed.stats.mixtures import MEAN, Mixed, Part
from pqbed.units import format_percentage
from pqbed_cli.flags import Form
from pqbed_cli.render.mixtures import change_text, estimate_text, mixtures_to_program
from pqbed_cli.render.number_format import NONE, NS_PER_MS, milliseconds
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import Fleet

# The parts that add most; JSON has all.
MOST_ROWS = 16
COLUMNS = ("part", "share", "mean", "baseline", "more", "adds", "of all")


def print_fleet(fleet: Fleet, form: Form) -> None:
    """Print a table per mixture and profile, with the sentence that sums it up."""
    if form == "json":
        contributions = [_contributions(one) for one in fleet.mixed]
        mixtures = [
            {**one, "contributions_ns": adds}
            for one, adds in zip(mixtures_to_program(fleet.mixed), contributions, strict=True)
        ]
        print_json({"run": str(fleet.path), "mixtures": mixtures})
        return
    say = beside(form)
    axes = split_axes(fleet.rows)
    compared = [one for one in fleet.mixed if one.baseline is not None]
    for one in fleet.mixed:
        say(_sentence(one, place_of(one, axes)))
    say("")
    print_tables([_table(one, place_of(one, axes)) for one in compared], form)
    if compared:
        say("")
        say("mean TTLB in ms; more: than the baseline; adds: share times more, so that these add up to the difference")


def _sentence(one: Mixed, where: str) -> str:
    values = [f"{statistic.name} {estimate_text(statistic.estimate, TTLB)} ms" for statistic in one.statistics]
    text = f"{one.mixture.name}{f' ({where})' if where else ''}, {one.arm}: {', '.join(values)}"
    if one.baseline is None:
        return text
    changes = [f"{statistic.name} {change_text(statistic)}" for statistic in one.statistics]
    return f"{text}; over {one.baseline}: {', '.join(changes)}"


def _table(one: Mixed, where: str) -> Table:
    title = f"{one.mixture.name}{f' ({where})' if where else ''}, {one.arm}: {one.mixture.describe()}"
    return Table(title=title, columns=COLUMNS, rows=tuple(_rows(one)), numeric=(1, 2, 3, 4, 5, 6), titles="fleet")


def _rows(one: Mixed) -> Iterator[tuple[str, ...]]:
    adds = _contributions(one)
    known_adds = [each for each in adds if each is not None]
    total = sum(known_adds) if len(known_adds) == len(adds) else None
    order = sorted(zip(one.parts, adds, strict=True), key=lambda pair: -abs(pair[1] or 0))
    for part, add in order[:MOST_ROWS]:
        more = None if add is None or not part.share else add / part.share
        yield (
            *(part.text, format_percentage(round(part.share * PPM))),
            milliseconds(known(part.values.get(MEAN, math.nan))),
            milliseconds(_base_mean(part)),
            *(_signed(more), _signed(add)),
            NONE if add is None or not total else f"{100 * add / total:.1f}%",
        )
    if rest := order[MOST_ROWS:]:
        share, add = sum(part.share for part, _ in rest), sum(each or 0 for _, each in rest)
        others = f"{len(rest)} other parts", format_percentage(round(share * PPM)), NONE, NONE, NONE, _signed(add)
        yield (*others, f"{100 * add / total:.1f}%" if total else NONE)


def _contributions(one: Mixed) -> list[float | None]:
    """Return in ns what each part adds to the difference of the means; None where that is not known."""
    return [
        None if (base := _base_mean(part)) is None else known(part.share * (part.values[MEAN] - base))
        for part in one.parts
    ]


def _base_mean(part: Part) -> float | None:
    return None if part.base_values is None else known(part.base_values.get(MEAN, math.nan))


def _signed(value_ns: float | None) -> str:
    return NONE if value_ns is None else f"{round(value_ns / NS_PER_MS, 2) + 0.0:+.2f}"
