import struct
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest

from pqbed.spec.delay_tables import ENTRIES, SCALE, cut_share, largest_jitter_ns, table, table_bytes
from pqbed.spec.sweep_checks import LARGEST_CUT_SHARE, cut_delays
from pqbed.spec.sweep_toml import sweep_from
from support.netem_model import Generator, delay_ns
from support.units import MS

NAMED = ("normal", "pareto", "paretonormal")
FOLDERS = (*Path("/usr/lib").glob("*/tc"), Path("/usr/lib/tc"), Path("/usr/share/tc"))


def installed(distribution: Any) -> Any:
    for folder in FOLDERS:
        path = folder / f"{distribution}.dist"
        if path.exists():
            lines = path.read_text().splitlines()
            return [int(word) for line in lines if not line.startswith("#") for word in line.split()]
    return None


@pytest.mark.parametrize("distribution", NAMED)
def test_table_is_that_of_iproute2(distribution: Any) -> None:
    theirs = installed(distribution)
    if theirs is None:
        pytest.skip("iproute2's *.dist files are not installed")
    assert len(theirs) == ENTRIES
    assert max(abs(a - b) for a, b in zip(table(distribution), theirs, strict=True)) <= 1


@pytest.mark.parametrize("distribution", NAMED)
def test_table_is_an_inverse_distribution_function(distribution: Any) -> None:
    values = table(distribution)
    assert len(values) == ENTRIES
    assert list(values) == sorted(values)
    assert min(values) >= -4 * SCALE
    assert max(values) < 4 * SCALE


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation"),
    [("normal", 0.0, 1.0), ("pareto", -0.0335, 0.8197), ("paretonormal", -0.0253, 0.8339)],
)
def test_moments_are_those_the_documentation_names(distribution: Any, mean: Any, deviation: Any) -> None:
    scaled = [value / SCALE for value in table(distribution)]
    assert fmean(scaled) == pytest.approx(mean, abs=1e-3)
    assert pstdev(scaled) == pytest.approx(deviation, abs=1e-3)


def test_uniform_is_what_the_kernel_does_without_a_table() -> None:
    assert table("uniform") == ()
    assert table_bytes("uniform") == b""


def test_bytes_are_int16() -> None:
    assert struct.unpack(f"={ENTRIES}h", table_bytes("pareto")) == table("pareto")


DRAWS = 40_000


@pytest.mark.parametrize("distribution", ["uniform", *NAMED])
@pytest.mark.parametrize("jitter_ms", [5, 10, 20, 40])
def test_what_is_cut_at_zero_is_what_the_kernel_cuts(distribution: Any, jitter_ms: Any) -> None:
    """The same draws with and without negative ones set to zero: netem sends such packets at once."""
    generator = Generator(7)
    drawn = [delay_ns(generator, 10 * MS, jitter_ms * MS, distribution) for _ in range(DRAWS)]
    longer = fmean(max(0, delay) - delay for delay in drawn) / (10 * MS)
    assert cut_share(10 * MS, jitter_ms * MS, distribution) == pytest.approx(longer, rel=0.06, abs=1e-3)


def test_a_normal_jitter_as_large_as_the_delay_lengthens_the_mean() -> None:
    # The mean of max(0, 1 + z) is 1 + 0.0833 (the standard normal loss function at 1).
    assert cut_share(10 * MS, 10 * MS, "normal") == pytest.approx(0.0833, abs=5e-4)
    assert cut_share(10 * MS, 0, "normal") == 0
    assert cut_share(0, 1, "normal") == float("inf")


@pytest.mark.parametrize("distribution", ["uniform", *NAMED])
def test_the_largest_jitter_is_the_last_that_is_allowed(distribution: Any) -> None:
    largest = largest_jitter_ns(17_500_000, distribution, LARGEST_CUT_SHARE)
    assert cut_share(17_500_000, largest, distribution) <= LARGEST_CUT_SHARE
    assert cut_share(17_500_000, largest + 10_000, distribution) > LARGEST_CUT_SHARE


def test_a_jitter_that_is_cut_can_be_allowed_and_is_named() -> None:
    raw = {"rtt": ["35ms", "200ms"], "jitter": "17.5ms", "distribution": "normal", "cut_jitter": True}
    sweep, _ = sweep_from(raw)
    assert cut_delays(sweep) == [
        "at rtt 35ms and normal jitter 17.5ms delays are cut at zero, so the mean RTT is 37.93ms (+8.4%)"
    ]
