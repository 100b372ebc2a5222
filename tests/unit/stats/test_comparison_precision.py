"""What repeated looks cost: how often the interval at the stop holds the truth."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from numpy.random._generator import Generator

from pqbed.duration.checkpoints import checkpoints
from pqbed.stats.comparison_precision import half_widths, tabulate_precision
from pqbed.stats.increases import paired_increases
from pqbed.store.table_schemas import CONDITIONS

RUNS = 400
DRAWS = 400


def lossy(stream: Generator, runs: int, blocks: int) -> tuple[npt.NDArray[Any], ...]:
    """Base and arm over a lossy link: none to several waits with a heavy tail, drawn apart for either."""

    def arm(ms: int) -> npt.NDArray[Any]:
        waits = stream.poisson(1.0, (runs, blocks)) * stream.pareto(2.5, (runs, blocks))
        return ms + 60 * stream.exponential(1.0, (runs, blocks)) + 200 * waits

    return arm(1800), arm(1920)


def skewed(stream: Generator, runs: int, blocks: int) -> tuple[npt.NDArray[Any], ...]:
    """Nothing shared between the arms and a fourth of the median as spread: the worst that was tried."""
    return 1000 * stream.lognormal(0, 0.25, (runs, blocks)), 1100 * stream.lognormal(0, 0.25, (runs, blocks))


def hold(base: npt.NDArray[Any], arm: npt.NDArray[Any], truth: Any) -> tuple[npt.NDArray[Any], ...]:
    pairs = [(len(base) + run, run) for run in range(len(base))]
    found = paired_increases(np.concatenate([base, arm]), pairs, [0.5], DRAWS)
    intervals = [found[pair][0] for pair in pairs]
    widths = np.array([(one.high - one.low) / 2 for one in intervals])
    return widths, np.array([one.low <= truth <= one.high for one in intervals])


def stop_when_precise(
    base: npt.NDArray[Any], arm: npt.NDArray[Any], truth: Any, wanted: float
) -> tuple[npt.NDArray[Any], ...]:
    """Return when each run stops at the checkpoints, and whether its interval holds the truth then."""
    stopped, holds = np.zeros(len(base), dtype=int), np.zeros(len(base), dtype=bool)
    for point in checkpoints(base.shape[1]):
        live = np.flatnonzero(stopped == 0)
        widths, held = hold(base[live, :point], arm[live, :point], truth)
        over = widths <= wanted if point < base.shape[1] else np.ones(live.size, dtype=bool)
        stopped[live[over]], holds[live[over]] = point, held[over]
        if over.all():
            break
    return stopped, holds


@pytest.mark.parametrize(("draw", "wanted"), [(lossy, 3.0), (skewed, 8.0)])
def test_repeated_looks_cost_a_few_points_of_coverage_and_no_more(draw: Callable[..., Any], wanted: float) -> None:
    base, arm = draw(np.random.default_rng(5), 20, 50_000)
    truth = 100 * (np.median(arm) / np.median(base) - 1)
    base, arm = draw(np.random.default_rng(6), RUNS, 700)
    stopped, holds = stop_when_precise(base, arm, truth, wanted)
    usual = int(np.median(stopped))
    _, fixed = hold(base[:, :usual], arm[:, :usual], truth)
    assert 40 < usual < 400
    assert len(set(stopped.tolist())) > 4
    assert fixed.mean() > 0.94
    assert holds.mean() > 0.90
    assert fixed.mean() - holds.mean() < 0.06


def samples_of(**ttlbs: Any) -> pl.LazyFrame:
    rows = [
        {"cell_id": cell, "block": block, "outcome": "ok", "clock": "virtual", "last_byte_ns": ttlb}
        for cell, values in ttlbs.items()
        for block, ttlb in enumerate(values)
    ]
    return pl.DataFrame(rows).lazy()


def test_the_width_of_a_comparison_is_that_of_its_widest_arm() -> None:
    stream = np.random.default_rng(1)
    base = [1_000_000] * 40
    narrow, wide = (stream.normal(1_200_000, spread, 40).astype(int).tolist() for spread in (1_000, 100_000))
    samples = samples_of(base=base, narrow=narrow, wide=wide, other=base, same=base)
    together, alone, none = half_widths(samples, [("base", "narrow", "wide"), ("base", "narrow"), ("other", "same")])
    [widest] = half_widths(samples, [("base", "wide")])
    assert together == widest > alone > none == 0


def test_an_arm_that_cannot_be_spoken_holds_nothing_up() -> None:
    base = [1_000_000] * 40
    mute = pl.col("outcome").replace({"ok": "unsupported"})
    arms = samples_of(base=base, arm=base)
    silent = samples_of(mute=[0] * 40).with_columns(mute, last_byte_ns=pl.lit(None, pl.Int64))
    samples = pl.concat([arms, silent])
    spoken, unspoken, dumb = half_widths(samples, [("base", "arm", "mute"), ("base", "mute"), ("mute", "arm")])
    assert spoken == unspoken == dumb == 0
    rows = [row("a", 40), row("b", 40) | {"n_unsupported": 40}]
    assert tabulate_precision(rows, 10_000, 100)["standing"].to_list() == ["unsupported"]


def test_too_few_blocks_have_no_width() -> None:
    assert half_widths(samples_of(base=[1] * 5, arm=[2] * 5), [("base", "arm")]) == [math.inf]


def row(
    cell: str, n: int | None, low: float | None = None, high: float | None = None, **conditions: Any
) -> dict[str, Any]:
    common = dict.fromkeys(CONDITIONS, None) | conditions
    return {
        "cell_id": cell,
        **common,
        "n": n,
        "n_unsupported": 0,
        "increase_p50_low_pct": low,
        "increase_p50_high_pct": high,
    }


def test_the_table_says_what_was_reached_and_what_it_took() -> None:
    rows = [
        row("a", 25, rtt_ns=1),
        row("b", 25, 10.0, 11.0, rtt_ns=1),
        row("c", 25, 9.0, 10.8, rtt_ns=1),
        row("d", 100, rtt_ns=2),
        row("e", 100, 10.0, 13.0, rtt_ns=2),
        row("f", 31, rtt_ns=3),
        row("g", 30, None, None, rtt_ns=3),
        row("h", None, rtt_ns=4),
        row("i", None, rtt_ns=4),
    ]
    table = tabulate_precision(rows, 10_000, 100)
    told = table.select("cell_id", "samples", "fetches", "half_width_pct", "standing").rows()
    assert [(*some[:3], some[4]) for some in told] == [
        ("a", 25, 75, "reached"),
        ("d", 100, 200, "maximum"),
        ("f", 30, 61, "open"),
        ("h", 0, 0, "open"),
    ]
    assert [some[3] for some in told] == [pytest.approx(0.9), pytest.approx(1.5), None, None]
