import struct
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest

from pqbed.net.delay_distributions import ENTRIES, SCALE, table, table_bytes

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
