"""Text of verdicts: rows of the verdict table, sentences, caveats."""

import math
from collections import Counter
from collections.abc import Sequence

from pqbed.report.narrative import describe_result as describe_run
from pqbed.report.report_data import reduce_grid
from pqbed.report.verdict_rows import Verdict
from pqbed.reproduce.judge_claims import ClaimResult
from pqbed.reproduce.measured_results import NOT_COUNTED, NOT_MEASURED, Results
from pqbed.reproduce.published_numbers import Published
from pqbed.spec.study import Claim
from pqbed.spec.sweep_checks import cut_delays
from pqbed.stats.bootstrap_estimates import BootstrapEstimate

ANSWERED_PERCENTILES = (50.0,)
NOT_KNOWN = "-"
FAILED = "failed"
NO_INTERVAL = "too few samples"
_RELATIONS = {"equal": "", "about": "~", "below": "< "}


def verdict_row(result: ClaimResult, no_cpu: str) -> Verdict:
    """Return the row of the verdict table. `no_cpu` is the reason if there is no CPU term, else empty."""
    return Verdict(
        question=result.claim.question,
        published=_published(result.published),
        band=_band(result.claim, result.published.unit),
        ours=_value(result.ours, result.unit),
        network=_value(result.network, result.unit),
        cpu=_cpu(result, no_cpu),
        interval=_interval(result.ours, result.unit),
        standing=result.standing,
        why=_why(result),
    )


def describe_result(results: Results, claims: Sequence[ClaimResult]) -> tuple[str, str, str]:
    """Return the increase, its trend over the response size, and how many published numbers were reproduced."""
    every = list(range(results.cells.height))
    cells = results.cells
    data = reduce_grid(results.part(every, with_cpu=True), cells, str(cells["profile"][0]), ANSWERED_PERCENTILES)
    cost, trend, _ = describe_run(data)
    return cost, trend, _describe_standings(results, claims)


def _describe_standings(results: Results, claims: Sequence[ClaimResult]) -> str:
    """Return how many published numbers were reproduced, and from how many fetches."""
    counts = Counter(result.standing for result in claims)
    measured = counts["inside"] + counts["outside"]
    total, failed = (int(results.grid.counts[name].sum()) for name in ("n", "n_failed"))
    luck = f"{failed:,} of {total:,} fetches failed and count as slower than all successful ones"
    inside, outside = (_count(counts[standing], "is", "are") for standing in ("inside", "outside"))
    return (
        f"Of {measured} published numbers that were measured again, {inside} inside the band that was set before the "
        f"run and {outside} outside; {_count(counts['not measured'], 'was', 'were')} not measured. "
        f"{luck if failed else f'All {total:,} fetches succeeded'}."
    )


def _count(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}"


def list_caveats(results: Results) -> list[str]:
    """Return the limits of the verdicts and of the study's figures."""
    caveats = []
    if results.costs:
        caveats.append(
            "Verdicts and figures include network and CPU: to each time is added the median time of the same fetch "
            "over an unshaped link on this host, as if the two never overlapped. The table of cells has no CPU time."
        )
    elif results.no_cpu == NOT_MEASURED:
        caveats.append("The CPU term could not be measured on this host: verdicts and figures are of the network only.")
    elif results.no_cpu == NOT_COUNTED:
        caveats.append(
            "Verdicts are of the network only: the study's bands are those of a comparison without CPU time."
        )
    if results.study.empty_is_handshake:
        caveats.append(
            "At 0 KiB verdicts and figures count only the handshake, as the study does; the table of cells counts a "
            "fetch of an empty body."
        )
    cut = dict.fromkeys(sentence for sweep in results.study.sweeps.values() for sentence in cut_delays(sweep))
    return caveats + [f"{sentence[0].upper()}{sentence[1:]}." for sentence in cut]


def _published(number: Published) -> str:
    value = _number(number.value, number.unit)
    if number.value_to is not None:
        value = f"{value} to {_number(number.value_to, number.unit)}"
    return f"{_RELATIONS[number.relation]}{_with_unit(value, number.unit)}"


def _band(claim: Claim, unit: str) -> str:
    low, high = (None if end is None else f"{end:,g}" for end in (claim.low, claim.high))
    if low is None and high is None:
        return NOT_KNOWN
    if low is None:
        return _with_unit(f"up to {high}", unit)
    return _with_unit(f"{low} to {high}" if high is not None else f"from {low}", unit)


def _value(estimate: BootstrapEstimate | None, unit: str) -> str:
    if estimate is None or math.isnan(estimate.point):
        return NOT_KNOWN
    if math.isinf(estimate.point):
        return FAILED
    return _with_unit(_number(estimate.point, unit, measured=True), unit)


def _with_unit(text: str, unit: str) -> str:
    return f"{text}{unit}" if unit == "%" else f"{text} {unit}".strip()


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


def _cpu(result: ClaimResult, no_cpu: str) -> str:
    if result.unit in {"KB", ""}:
        return ""
    if no_cpu:
        return no_cpu
    if result.cpu_ms is None:
        return ""
    return f"{result.cpu_ms:+.2f} ms" if result.unit == "%" else f"{result.cpu_ms:.2f} ms"


def _why(result: ClaimResult) -> str:
    if result.standing == "inside":
        return ""
    reasons = [result.claim.why] if result.claim.why else []
    if result.standing == "outside":
        if _interval_reaches_band(result):
            reasons.insert(0, "the interval reaches into the band")
        reasons = reasons or ["not explained"]
    return "; ".join(reasons)


def _interval_reaches_band(result: ClaimResult) -> bool:
    interval = result.ours.interval if result.ours else None
    if interval is None:
        return False
    low, high = result.claim.low, result.claim.high
    return (high is None or interval[0] <= high) and (low is None or interval[1] >= low)
