"""Evaluation of the claims of a study: inside the band, outside, or not measured."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pqbed.report.verdict_rows import Standing
from pqbed.reproduce.measured_results import Results
from pqbed.reproduce.published_numbers import Published
from pqbed.spec.study import Claim, Measure, MeasureKind
from pqbed.stats.bootstrap_estimates import (
    BootstrapEstimate,
    QuantileEstimator,
    combine,
    increase,
    largest,
    mean,
    ratio,
)

NS_PER_MS = 1_000_000
BYTES_PER_KB = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """One claim evaluated. `ours` includes network and CPU; `cpu_ms` is the CPU term of a time or of an increase.

    Values are in the unit of the claim's measure (`unit`); None: not measured.
    """

    claim: Claim
    published: Published
    unit: str
    ours: BootstrapEstimate | None
    network: BootstrapEstimate | None
    cpu_ms: float | None
    standing: Standing


def evaluate_claims(results: Results, published: Mapping[str, Published]) -> tuple[ClaimResult, ...]:
    """Return a result per claim of the study, in its order."""
    network = QuantileEstimator(results.times(with_cpu=False))
    both = QuantileEstimator(results.times(with_cpu=True))
    return tuple(_evaluate(claim, published[claim.published], results, network, both) for claim in results.study.claims)


def _evaluate(
    claim: Claim, published: Published, results: Results, network: QuantileEstimator, both: QuantileEstimator
) -> ClaimResult:
    ours = _measure(claim, results, both)
    return ClaimResult(
        claim=claim,
        published=published,
        unit=_unit(claim.measure),
        ours=ours,
        network=_measure(claim, results, network),
        cpu_ms=_cpu_ms(claim.measure, results),
        standing=stand(ours.point if ours else math.nan, claim.low, claim.high),
    )


def stand(value: float, low: float | None, high: float | None) -> Standing:
    """Return whether `value` is inside a band, ends included."""
    if math.isnan(value):
        return "not measured"
    inside = (low is None or value >= low) and (high is None or value <= high)
    return "inside" if inside else "outside"


def _measure(claim: Claim, results: Results, times: QuantileEstimator) -> BootstrapEstimate | None:
    """Return the number that `claim` is about, from `times`; None if it was not measured."""
    return _MEASURES[claim.measure.kind](claim.measure, results, times, (claim.percentile or 50) / 100)


def _ttlb(measure: Measure, results: Results, times: QuantileEstimator, share: float) -> BootstrapEstimate:
    (row,) = results.rows(measure.sweep, measure.profile, measure.size_bytes)
    more_ns = measure.rtts * results.cells["rtt_ns"][row]
    return combine(lambda time_ns: (time_ns + more_ns) / NS_PER_MS, times.quantile(row, share))


def _increase(measure: Measure, results: Results, times: QuantileEstimator, share: float) -> BootstrapEstimate:
    (estimate,) = _increases(measure, measure.profile, results, times, share)
    return estimate


def _largest(measure: Measure, results: Results, times: QuantileEstimator, share: float) -> BootstrapEstimate:
    return largest(_increases(measure, measure.profile, results, times, share))


def _over_sweep(measure: Measure, results: Results, times: QuantileEstimator, share: float) -> BootstrapEstimate:
    (row,) = results.rows(measure.sweep, measure.profile, measure.size_bytes)
    (base,) = results.rows(measure.over, measure.profile, measure.size_bytes)
    return increase(times.quantile(row, share), times.quantile(base, share))


def _ratio(measure: Measure, results: Results, times: QuantileEstimator, share: float) -> BootstrapEstimate:
    arms = (measure.profile, measure.over)
    large, small = (mean(_increases(measure, arm, results, times, share)) for arm in arms)
    return ratio(large, small)


def _chain(measure: Measure, results: Results, _times: QuantileEstimator, _share: float) -> BootstrapEstimate | None:
    sizes = dict(results.cells.select("profile", "chain_wire_bytes").rows())
    size_bytes = sizes.get(measure.profile)
    return None if size_bytes is None else BootstrapEstimate(point=size_bytes / BYTES_PER_KB)


_MEASURES: dict[MeasureKind, Callable[[Measure, Results, QuantileEstimator, float], BootstrapEstimate | None]] = {
    "ttlb": _ttlb,
    "increase": _increase,
    "largest increase": _largest,
    "increase over a sweep": _over_sweep,
    "ratio of increases": _ratio,
    "chain": _chain,
    "none": lambda *_: None,
}


def _increases(
    measure: Measure, profile: str, results: Results, times: QuantileEstimator, share: float
) -> list[BootstrapEstimate]:
    """Return the increase of `profile` over the sweep's baseline in each of its cells that `measure` names."""
    arms = results.rows(measure.sweep, profile, measure.size_bytes)
    bases = results.rows(measure.sweep, results.baseline(measure.sweep), measure.size_bytes)
    pairs = zip(arms, bases, strict=True)
    return [increase(times.quantile(arm, share), times.quantile(base, share)) for arm, base in pairs]


def _cpu_ms(measure: Measure, results: Results) -> float | None:
    """Return the CPU term of a time, or the difference of two for an increase; None if it is not a single number."""
    if measure.kind not in ("ttlb", "increase"):
        return None
    (row,) = results.rows(measure.sweep, measure.profile, measure.size_bytes)
    cost_ns = results.cpu_ns(row)
    if cost_ns is None or measure.kind == "ttlb":
        return None if cost_ns is None else cost_ns / NS_PER_MS
    (base,) = results.rows(measure.sweep, results.baseline(measure.sweep), measure.size_bytes)
    base_ns = results.cpu_ns(base)
    return None if base_ns is None else (cost_ns - base_ns) / NS_PER_MS


def _unit(measure: Measure) -> str:
    return {"ttlb": "ms", "chain": "KB", "ratio of increases": "times", "none": ""}.get(measure.kind, "%")
