"""The ends of an increase: of the draws themselves, each where it belongs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqbed.stats.block_bootstrap import draw_counts, drawn_quantiles, percentile_intervals
from pqbed.stats.increases import paired_increases

DRAWS = 200


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.sampled_from([0.5, 0.75, 0.9]), st.integers(40, 300))
def test_every_end_is_an_order_statistic_of_the_draws(seed: int, q: float, blocks: int) -> None:
    """The draws are made again here, one resample at a time."""
    random = np.random.default_rng(seed)
    values = random.lognormal(size=(2, blocks))
    (found,) = paired_increases(values, [(0, 1)], [q], DRAWS, 7)[0, 1]
    counts = draw_counts(blocks, DRAWS, 7)
    drawn = np.array([[np.quantile(np.repeat(row, times), q) for times in counts.T] for row in values])
    percent, ns = np.sort(100 * (drawn[0] / drawn[1] - 1)), np.sort(drawn[0] - drawn[1])
    point = 100 * (np.quantile(values[0], q) / np.quantile(values[1], q) - 1)
    ends = (found.point, found.low, found.high, *found.inner_pct, *found.inner_ns)
    assert ends == pytest.approx(
        (point, percent[4], percent[195], percent[9], percent[190], ns[9], ns[190]), rel=1e-9, abs=1e-9
    )


def test_no_quantile_has_no_draws() -> None:
    values = np.arange(12.0).reshape(2, 6)
    drawn = drawn_quantiles(values, np.argsort(values, axis=1), draw_counts(6, DRAWS, 1), [])
    assert drawn.shape == (0, 2, DRAWS)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.booleans())
def test_ends_are_found_whatever_part_of_the_draws_is_censored(seed: int, relative: bool) -> None:
    random = np.random.default_rng(seed)
    arm, base = random.lognormal(size=(2, 3, DRAWS))
    arm[random.random(arm.shape) < 0.03] = np.inf
    base[random.random(base.shape) < 0.03] = np.inf
    confidences = (0.95, 0.9)
    ends = percentile_intervals(arm, base, confidences, relative=relative)
    for row in range(3):
        with np.errstate(invalid="ignore"):
            change = 100 * (arm[row] / base[row] - 1) if relative else arm[row] - base[row]
        only_base, both = np.isinf(base[row]), np.isinf(base[row]) & np.isinf(arm[row])
        low = np.sort(np.where(only_base, -np.inf, change))
        high = np.sort(np.where(both, np.inf, np.where(only_base, -np.inf, change)))
        for (lows, highs), first in zip(ends, (4, 9), strict=True):
            expected = [low[first], high[DRAWS - 1 - first]]
            assert [lows[row], highs[row]] == pytest.approx(
                [end if np.isfinite(end) else np.nan for end in expected], nan_ok=True
            )
