"""A judgement as the texts of a row of the verdict table."""

import math
from collections import Counter
from collections.abc import Sequence

from pqbed.report.narrative import tell_answer as tell_measured
from pqbed.report.report_data import reduce_grid
from pqbed.report.verdict import Verdict
from pqbed.reproduce.judge import Judged
from pqbed.reproduce.published import Published
from pqbed.reproduce.results import NOT_MEASURED, Results
from pqbed.spec.study import Claim
from pqbed.stats.estimates import BootstrapEstimate

ANSWERED_PERCENTILES = (50.0,)
NOT_KNOWN = "-"
FAILED = "failed"
NO_INTERVAL = "too few samples"
_RELATIONS = {"equal": "", "about": "~", "below": "< "}


def tell_verdict(judged: Judged, no_cpu: str) -> Verdict:
    """Return the row of the verdict table. `no_cpu` says why there is no CPU term, if there is none."""
    return Verdict(
        question=judged.claim.question,
        published=_published(judged.published),
        band=_band(judged.claim, judged.published.unit),
        ours=_value(judged.ours, judged.unit),
        network=_value(judged.network, judged.unit),
        cpu=_cpu(judged, no_cpu),
        interval=_interval(judged.ours, judged.unit),
        standing=judged.standing,
        why=_why(judged),
    )


def tell_answer(results: Results, judged: Sequence[Judged]) -> tuple[str, str, str]:
    """Return what it costs, how that changes with the size, and how much of what was published that is."""
    every = list(range(results.cells.height))
    cells = results.cells
    measured = reduce_grid(results.part(every, with_cpu=True), cells, str(cells["profile"][0]), ANSWERED_PERCENTILES)
    cost, trend, _ = tell_measured(measured)
    return cost, trend, _tell_standings(results, judged)


def _tell_standings(results: Results, judged: Sequence[Judged]) -> str:
    """Return how many of the published numbers we find, and how many fetches that rests on."""
    counts = Counter(one.standing for one in judged)
    measured = counts["inside"] + counts["outside"]
    total, failed = (int(results.grid.counts[name].sum()) for name in ("n", "n_failed"))
    luck = f"{failed:,} of {total:,} fetches failed and count as slower than all that succeeded"
    return (
        f"Of {measured} published numbers that were measured again, {counts['inside']} lie inside the band that was "
        f"set before the run, and {counts['outside']} outside; {counts['not measured']} were not measured; "
        f"{luck if failed else f'all {total:,} fetches succeeded'}."
    )


def tell_caveats(results: Results) -> list[str]:
    """Return what must be kept in mind with the verdicts and the study's figures."""
    found = []
    if results.costs:
        found.append(
            "Verdicts and figures count network and CPU together: to every time is added the median that the same "
            "fetch takes over a bare link on this host, as if the two never overlapped. The table of cells is that of "
            "the network alone."
        )
    elif results.no_cpu == NOT_MEASURED:
        found.append("The CPU term could not be measured on this host: verdicts and figures are of the network alone.")
    if results.study.empty_is_handshake:
        found.append(
            "At 0 KiB verdicts and figures count the handshake alone, as the study does; the table of cells counts a "
            "fetch of an empty body there."
        )
    return found


def _published(number: Published) -> str:
    value = _number(number.value, number.unit)
    if number.value_to is not None:
        value = f"{value} to {_number(number.value_to, number.unit)}"
    return f"{_RELATIONS[number.relation]}{value} {number.unit}".strip()


def _band(claim: Claim, unit: str) -> str:
    low, high = (None if end is None else f"{end:,g}" for end in (claim.low, claim.high))
    if low is None and high is None:
        return NOT_KNOWN
    if low is None:
        return f"up to {high} {unit}".strip()
    return (f"{low} to {high} {unit}" if high is not None else f"from {low} {unit}").strip()


def _value(estimate: BootstrapEstimate | None, unit: str) -> str:
    if estimate is None or math.isnan(estimate.point):
        return NOT_KNOWN
    if math.isinf(estimate.point):
        return FAILED
    return f"{_number(estimate.point, unit, measured=True)} {unit}"


def _number(value: float, unit: str, *, measured: bool = False) -> str:
    if not measured:
        return f"{value:,g}"
    places = {"ms": 1, "%": 1, "times": 2, "KB": 2}.get(unit, 1)
    text = f"{value + 0.0:{'+' if unit == '%' else ''},.{places}f}"
    return text.replace("-0.0", "+0.0") if text == "-0.0" else text


def _interval(estimate: BootstrapEstimate | None, unit: str) -> str:
    if estimate is None or unit == "KB":
        return ""
    if estimate.interval is None:
        return NO_INTERVAL
    low, high = (_number(end, unit, measured=True) for end in estimate.interval)
    return f"{low} to {high}"


def _cpu(judged: Judged, no_cpu: str) -> str:
    if judged.unit in {"KB", ""}:
        return ""
    if no_cpu:
        return no_cpu
    if judged.cpu_ms is None:
        return ""
    return f"{judged.cpu_ms:+.2f} ms" if judged.unit == "%" else f"{judged.cpu_ms:.2f} ms"


def _why(judged: Judged) -> str:
    if judged.standing == "inside":
        return ""
    reasons = [judged.claim.why] if judged.claim.why else []
    if judged.standing == "outside":
        if _interval_reaches_band(judged):
            reasons.insert(0, "the interval reaches into the band")
        reasons = reasons or ["not explained"]
    return "; ".join(reasons)


def _interval_reaches_band(judged: Judged) -> bool:
    interval = judged.ours.interval if judged.ours else None
    if interval is None:
        return False
    low, high = judged.claim.low, judged.claim.high
    return (high is None or interval[0] <= high) and (low is None or interval[1] >= low)
