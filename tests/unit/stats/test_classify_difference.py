import math
from typing import Any

import numpy as np
import pytest

from pqbed.errors import SpecError
from pqbed.stats.classify_difference import (
    DEFAULT_MARGIN,
    FALSE_DIFFERS,
    FINDINGS,
    Margin,
    classify_difference,
    expected_false_differs,
    noise_floor,
    parse_margin,
)
from pqbed.stats.increases import UNKNOWN, Increase, independent_increase, paired_increases

NAN, INF = math.nan, math.inf
TRIALS, BLOCKS = 600, 60


def increase(point: Any, low: Any, high: Any, inner_pct: Any = (NAN, NAN), inner_ns: Any = (NAN, NAN)) -> Any:
    return Increase(point=point, low=low, high=high, inner_pct=inner_pct, inner_ns=inner_ns)


def test_there_are_four_words() -> None:
    assert FINDINGS == ("differs", "equivalent", "within noise", "undecided")


@pytest.mark.parametrize(
    ("found", "noise_pct", "word"),
    [
        (increase(5, 3, 7, (4, 6)), 0.5, "differs"),
        (increase(-5, -7, -3, (-6, -4)), 0.5, "differs"),
        (increase(5, 3, 7, (4, 6)), NAN, "differs"),
        (increase(5, 3, 7, (4, 6)), 5, "within noise"),
        (increase(-5, -7, -3, (-6, -4)), 6, "within noise"),
        (increase(5, 3, 7, (4, 6)), INF, "undecided"),
        (increase(5, -1, 7, (-0.5, 6)), 0.5, "undecided"),
        (increase(0.7, 0.6, 0.8, (0.65, 0.75)), 0.0, "equivalent"),
        (increase(0.7, 0.6, 0.8, (0.65, 0.75)), INF, "equivalent"),
        (increase(0.7, 0.4, 1.2, (0.5, 1.0)), 0.1, "differs"),
        (increase(-0.7, -1.2, -0.4, (-1.0, -0.5)), 0.1, "differs"),
        (increase(0, 0, 0, (0, 0)), 0.0, "equivalent"),
        (increase(0.007, 0.007, 42, (0.007, 30)), 0.0003, "undecided"),
        (increase(-0.007, -42, -0.007, (-30, -0.007)), NAN, "undecided"),
        (increase(5, NAN, NAN), 0.5, "undecided"),
        (increase(0.1, NAN, NAN), 0.5, "undecided"),
        (increase(NAN, 3, NAN), 0.5, "differs"),
        (increase(NAN, NAN, -3), 0.5, "differs"),
        (UNKNOWN, NAN, "undecided"),
    ],
)
def test_each_word_where_it_belongs(found: Any, noise_pct: Any, word: Any) -> None:
    assert classify_difference(found, noise_pct, DEFAULT_MARGIN) == word


def test_a_margin_in_time_is_held_against_the_difference_in_time() -> None:
    found = increase(50, 40, 60, (41, 59), (2e6, 4e6))
    assert classify_difference(found, 0.1, Margin(amount=5_000_000, unit="ns")) == "equivalent"
    assert classify_difference(found, 0.1, Margin(amount=4_000_000, unit="ns")) == "differs"


@pytest.mark.parametrize(
    ("text", "margin", "shown"),
    [
        ("1%", DEFAULT_MARGIN, "1%"),
        ("0.5", Margin(amount=5_000), "0.5%"),
        ("200ppm", Margin(amount=200), "0.02%"),
        ("5ms", Margin(amount=5_000_000, unit="ns"), "5ms"),
        ("0.1s", Margin(amount=100_000_000, unit="ns"), "100ms"),
    ],
)
def test_a_margin_is_read_and_written(text: Any, margin: Any, shown: Any) -> None:
    assert parse_margin(text) == margin
    assert str(margin) == shown


@pytest.mark.parametrize("text", ["", "0", "0ms", "-1%", "1KiB", "much", "1,2"])
def test_what_is_no_margin_is_refused_with_what_would_be_one(text: Any) -> None:
    with pytest.raises(SpecError, match=r"^--margin") as raised:
        parse_margin(text)
    assert "5ms" in raised.value.hint


@pytest.mark.parametrize(
    ("again", "floor"),
    [
        (increase(0.1, -0.4, 0.3), 0.4),
        (increase(2.0, 1.0, 1.5), 2.0),
        (increase(0, 0, 0), 0),
        (increase(0.1, NAN, 0.3), INF),
        (UNKNOWN, INF),
    ],
)
def test_the_noise_floor_is_the_farthest_end_or_none(again: Any, floor: Any) -> None:
    assert noise_floor(again) == floor
    assert math.isnan(noise_floor(None))


def draw(kind: Any, rng: Any, shape: Any) -> Any:
    """Times of one arm: a smooth one, one with a spike and a tail as loss makes it, and one in steps with ties."""
    match kind:
        case "smooth":
            return rng.lognormal(0, 0.02, shape)
        case "lossy":
            return 1 + np.where(rng.random(shape) < 0.3, rng.exponential(0.4, shape), 0) + rng.normal(0, 1e-4, shape)
        case _:
            return 1 + 0.05 * rng.binomial(3, 0.3, shape)


def share_of(word: Any, kind: Any, share: Any, factor: Any, margin: Any, *, blocks: Any = BLOCKS) -> Any:
    """Return how often `word` is found for an arm that is slower by `factor`, over simulated runs with an A/A arm."""
    rng = np.random.default_rng(20_261_124)
    arms = rng.lognormal(0, 0.02, (TRIALS, blocks)) * draw(kind, rng, (3, TRIALS, blocks))
    arms[1] *= factor
    values = arms.reshape(3 * TRIALS, blocks)
    pairs = [(arm * TRIALS + number, number) for arm in (1, 2) for number in range(TRIALS)]
    found = paired_increases(values, pairs, [share], draws=400)
    words = [
        classify_difference(
            found[TRIALS + number, number][0], noise_floor(found[2 * TRIALS + number, number][0]), margin
        )
        for number in range(TRIALS)
    ]
    return sum(each == word for each in words) / TRIALS


# By chance alone a true 5 % shows up as more than 6.8 % in one of 40 such simulations.
NOMINAL = 0.05 + 2 * math.sqrt(0.05 * 0.95 / TRIALS)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("kind", ["smooth", "lossy", "steps"])
def test_equal_arms_are_seldom_found_to_differ(kind: Any, share: Any) -> None:
    # By chance a true 0.9 % (dd-012) shows up as more than 1.9 % in one of 100 such simulations.
    assert share_of("differs", kind, share, 1.0, Margin(amount=1)) <= 2 * FALSE_DIFFERS


def test_how_many_equal_arms_are_expected_to_differ_is_never_rounded_up_to_one() -> None:
    assert expected_false_differs([0.1] * 4) == pytest.approx(0.04)
    assert expected_false_differs([None, NAN, 0.1]) == pytest.approx(0.11)
    assert expected_false_differs([]) == 0


@pytest.mark.parametrize("factor", [1.02, 1 / 1.02])
@pytest.mark.parametrize("kind", ["smooth", "lossy", "steps"])
def test_a_shift_at_the_margin_is_seldom_found_equivalent(kind: Any, factor: Any) -> None:
    margin = Margin(amount=round(abs(factor - 1) * 1_000_000))
    assert share_of("equivalent", kind, 0.5, factor, margin) <= NOMINAL


def test_few_blocks_do_not_make_arms_equivalent() -> None:
    assert share_of("equivalent", "lossy", 0.5, 1.02, Margin(amount=20_000), blocks=10) <= NOMINAL


def test_what_is_there_is_found() -> None:
    assert share_of("differs", "smooth", 0.5, 1.10, DEFAULT_MARGIN) == 1.0
    assert share_of("equivalent", "smooth", 0.5, 1.0, Margin(amount=20_000)) > 0.9


def test_equal_values_as_in_virtual_time_are_equivalent_and_a_shift_is_exact() -> None:
    values = np.array([[100e6] * 8, [100e6] * 8, [102e6] * 8])
    found = paired_increases(values, [(1, 0), (2, 0)], [0.5])
    noise = noise_floor(found[1, 0][0])
    assert noise == 0
    assert classify_difference(found[1, 0][0], noise, DEFAULT_MARGIN) == "equivalent"
    assert classify_difference(found[2, 0][0], noise, DEFAULT_MARGIN) == "differs"
    assert classify_difference(found[2, 0][0], noise, Margin(amount=2_000_001, unit="ns")) == "equivalent"
    assert classify_difference(found[2, 0][0], noise, Margin(amount=2_000_000, unit="ns")) == "differs"


def test_censored_and_single_samples_prove_nothing() -> None:
    one = paired_increases(np.array([[1.0], [1.0]]), [(1, 0)], [0.5])[1, 0][0]
    assert classify_difference(one, noise_floor(one), DEFAULT_MARGIN) == "undecided"
    failed = paired_increases(np.array([[INF] * 40, [INF] * 40]), [(1, 0)], [0.5])[1, 0][0]
    assert classify_difference(failed, 0.0, DEFAULT_MARGIN) == "undecided"
    arm = np.array([1.0] * 40), np.array([INF] * 40)
    assert classify_difference(independent_increase(arm[1], arm[0], [0.5])[0], 0.0, DEFAULT_MARGIN) == "undecided"
    assert classify_difference(independent_increase(arm[0], arm[1], [0.5])[0], 0.0, DEFAULT_MARGIN) == "undecided"
