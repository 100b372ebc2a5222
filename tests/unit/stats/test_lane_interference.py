"""Lanes that only fail are slower without a number, or faster without one."""

import math

import numpy as np
import pytest

from pqbed.stats.lane_interference import compare_lanes
from pqbed.stats.quantiles import Floats

FINE, FAILED = np.full(40, 1e6), np.full(40, math.inf)


@pytest.mark.parametrize(("alone", "together"), [(FAILED, FINE), (FINE, FAILED), (FAILED, FAILED)])
def test_a_median_in_the_censored_part_gives_no_change(alone: Floats, together: Floats) -> None:
    trial = compare_lanes(alone, together, 2)
    assert trial.p50_change_pct is None
    assert not trial.agrees


def test_equal_lanes_agree() -> None:
    trial = compare_lanes(FINE, FINE, 2)
    assert (trial.p50_change_pct, trial.agrees) == (0, True)
