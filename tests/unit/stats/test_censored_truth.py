"""Statistics against simulated truth with censoring: failed fetches are slower than all others, by an unknown time.

The truth is what the same samples say without a time limit. Two properties hold for each draw: an end that is known
lies where it would without censoring, and no end is invented where draws reach into the censored part. Coverage holds
over many draws.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqbed.stats.block_bootstrap import percentile_intervals
from pqbed.stats.classify_difference import DEFAULT_MARGIN, classify_difference, noise_floor
from pqbed.stats.increases import Increase, independent_increase, paired_increases
from pqbed.stats.quantiles import Floats, interval_ranks, quantile, quantile_interval
from pqbed.stats.run_summary import tabulate_quantiles

INF, NAN = math.inf, math.nan
SHARES = (0.5, 0.75, 0.9)
DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=60)

seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 150)
kept = st.floats(0, 1)


def censored(values: Floats, share_kept: float) -> tuple[Floats, float]:
    """Return values with all above a time limit infinite, and the limit, so that about this share is kept."""
    limit = float(np.quantile(values, share_kept))
    return np.where(values > limit, INF, values), limit


@DETERMINISTIC
@given(seeds, counts, kept, st.sampled_from(SHARES))
def test_a_quantile_and_its_interval_are_those_without_a_limit_or_unknown(
    seed: int, count: int, share_kept: float, q: float
) -> None:
    whole = np.sort(np.random.default_rng(seed).lognormal(size=count))
    cut, limit = censored(whole, share_kept)
    for end_cut, end_whole in zip(quantile_interval(cut, q), quantile_interval(whole, q), strict=True):
        assert end_cut == end_whole or (math.isinf(end_cut) and end_whole > limit) or math.isnan(end_whole)
        assert math.isnan(end_cut) == math.isnan(end_whole)
    point, truth = quantile(cut, q), quantile(whole, q)
    assert point == truth or (math.isinf(point) and whole[math.ceil((count - 1) * q)] > limit)
    # What is stored: nothing in place of infinity.
    stored = tabulate_quantiles(cut[np.newaxis], [q])[0, :, 0]
    assert not np.isinf(stored).any()
    for value, known in zip(stored, (point, *quantile_interval(cut, q)), strict=True):
        assert value == known if math.isfinite(known) else math.isnan(value)


@pytest.mark.parametrize("q", SHARES)
@pytest.mark.parametrize("share_kept", [0.6, 0.92, 1.0])
def test_the_interval_of_a_quantile_covers_the_truth_with_censoring(q: float, share_kept: float) -> None:
    trials, count = 2000, 80
    values = np.sort(np.random.default_rng(5).exponential(size=(trials, count)), axis=1)
    limit, truth = -math.log1p(-share_kept) if share_kept < 1 else INF, -math.log1p(-q)
    values = np.where(values > limit, INF, values)
    low, high = interval_ranks(count, q)
    assert low is not None
    assert high is not None
    # An infinite end is unknown, on either side: it is stored as null.
    covered = (np.isinf(values[:, low]) | (values[:, low] <= truth)) & (truth <= values[:, high])
    assert covered.mean() >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / trials)


def pair_of_arms(seed: int, count: int, effect: float) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    shared = draw.lognormal(0, 0.4, count)
    base, arm = (shared * draw.lognormal(0, 0.2, count) * factor for factor in (1.0, 1.0 + effect))
    return arm, base


@DETERMINISTIC
@given(seeds, st.integers(6, 120), kept, kept, st.floats(-0.5, 1), st.sampled_from(SHARES))
def test_an_unknown_end_never_becomes_a_number(  # noqa: PLR0917 (hypothesis gives them in this order)
    seed: int, count: int, arm_kept: float, base_kept: float, effect: float, q: float
) -> None:
    arm, base = pair_of_arms(seed, count, effect)
    cut = np.stack([censored(base, base_kept)[0], censored(arm, arm_kept)[0]])
    whole = _compare(np.stack([base, arm]), q)
    found = _compare(cut, q)
    # What is known is what the samples say without a limit, or lies on the safe side of it.
    for end_cut, end_whole, safe in (
        (found.low, whole.low, np.less_equal),
        (found.high, whole.high, np.greater_equal),
        (found.inner_pct[0], whole.inner_pct[0], np.less_equal),
        (found.inner_pct[1], whole.inner_pct[1], np.greater_equal),
        (found.inner_ns[0], whole.inner_ns[0], np.less_equal),
        (found.inner_ns[1], whole.inner_ns[1], np.greater_equal),
    ):
        assert not math.isinf(end_cut)
        assert math.isnan(end_cut) or safe(end_cut, end_whole + 1e-9 * abs(end_whole)) or safe(end_cut, end_whole)
    if math.isfinite(found.point):
        assert found.point == pytest.approx(whole.point, rel=1e-9, abs=1e-9)


def _compare(values: Floats, q: float) -> Increase:
    return paired_increases(values, [(1, 0)], [q], draws=100)[1, 0][0]


@DETERMINISTIC
@given(seeds, st.integers(20, 60), st.integers(0, 60), st.integers(0, 60))
def test_draws_that_reach_into_the_censored_part_unbound_their_end(seed: int, draws: int, arm: int, base: int) -> None:
    """The truth of a draw may be anything that its censored parts allow: the ends must hold for the worst of it."""
    generator = np.random.default_rng(seed)
    slow, fast = generator.lognormal(0.2, 0.1, draws), generator.lognormal(0, 0.1, draws)
    slow[generator.permutation(draws)[: min(arm, draws)]] = INF
    fast[generator.permutation(draws)[: min(base, draws)]] = INF
    ((low, high),) = percentile_intervals(slow[np.newaxis], fast[np.newaxis])
    unknown = np.isinf(slow) & np.isinf(fast)
    with np.errstate(invalid="ignore"):
        change = np.where(np.isinf(fast), -INF, 100 * (slow / fast - 1))
    lowest, highest = np.sort(change), np.sort(np.where(unknown, INF, change))
    tail = 0.025 * (draws - 1)
    worst = lowest[math.floor(tail)], highest[math.ceil(draws - 1 - tail)]
    for end, bound in zip((low[0], high[0]), worst, strict=True):
        assert math.isnan(end) if math.isinf(bound) else end == pytest.approx(bound)


def found_in_trials(effect: float, q: float, trials: int = 400, blocks: int = 100) -> list[Increase]:
    """Compare arms of which one block in ten of both is censored by a common time limit."""
    draw = np.random.default_rng(17)
    shared = draw.lognormal(0, 0.3, size=(trials, blocks))
    base, arm = (shared * draw.lognormal(0, 0.2, size=(trials, blocks)) * (1 + more) for more in (0, effect))
    limit = float(np.quantile(base, 0.9))
    values = np.concatenate([base, arm])
    values[values > limit] = INF
    pairs = [(trials + number, number) for number in range(trials)]
    return [found for (found,) in paired_increases(values, pairs, [q], draws=200).values()]


@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_the_interval_of_a_difference_covers_the_truth_with_failures(effect: float) -> None:
    found = found_in_trials(effect, 0.5)
    known = [one for one in found if math.isfinite(one.low) and math.isfinite(one.high)]
    assert len(known) > 0.95 * len(found)
    assert 0.91 <= sum(one.low <= 100 * effect <= one.high for one in known) / len(known) <= 0.985


def test_equal_arms_are_rarely_found_to_differ_with_failures() -> None:
    """The noise floor of an A/A arm that fails as often as the others."""
    findings = [
        classify_difference(one, noise_floor(again), DEFAULT_MARGIN)
        for one, again in zip(found_in_trials(0, 0.5), reversed(found_in_trials(0, 0.5)), strict=True)
    ]
    assert findings.count("differs") <= 0.02 * len(findings)


def test_a_shift_as_large_as_the_margin_is_rarely_called_equivalent_with_failures() -> None:
    """Two one-sided tests at 5%, on arms that lie the margin apart; and nothing is equivalent in the censored part."""
    draw = np.random.default_rng(29)
    trials, blocks = 400, 100
    shared = draw.lognormal(0, 0.3, size=(trials, blocks))
    base, arm = (shared * draw.lognormal(0, 0.01, size=(trials, blocks)) * more for more in (1, 1.01))
    values = np.concatenate([base, arm])
    values[values > np.quantile(base, 0.9)] = INF
    pairs = [(trials + number, number) for number in range(trials)]
    for q, most in ((0.5, 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)), (0.95, 0)):
        found = paired_increases(values, pairs, [q], draws=200)
        words = [classify_difference(one, NAN, DEFAULT_MARGIN) for (one,) in found.values()]
        assert words.count("equivalent") <= most * trials


@DETERMINISTIC
@given(seeds, st.integers(1, 80), kept)
def test_a_noise_floor_is_known_only_if_all_of_its_interval_is(seed: int, count: int, share_kept: float) -> None:
    arm, base = pair_of_arms(seed, count, 0)
    cut = np.stack([censored(base, share_kept)[0], censored(arm, share_kept)[0]])
    again = _compare(cut, 0.9)
    ends = (again.point, again.low, again.high)
    floor = noise_floor(again)
    assert floor == (max(map(abs, ends)) if not any(map(math.isnan, ends)) else INF)


@DETERMINISTIC
@given(seeds, st.integers(6, 100), kept, st.sampled_from(SHARES))
def test_runs_that_share_no_blocks_have_no_invented_ends(seed: int, count: int, share_kept: float, q: float) -> None:
    arm, base = pair_of_arms(seed, count, 0.1)
    (whole,) = independent_increase(arm, base, [q], draws=200)
    (found,) = independent_increase(censored(arm, share_kept)[0], censored(base, share_kept)[0], [q], draws=200)
    assert math.isnan(found.low) or found.low <= whole.low + 1e-9 * abs(whole.low)
    assert math.isnan(found.high) or found.high >= whole.high - 1e-9 * abs(whole.high)
