import struct
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from pqbed.spec.delay_distributions import ENTRIES, SCALE, table, table_bytes

NAMED = ("normal", "pareto", "paretonormal")
FOLDERS = (*Path("/usr/lib").glob("*/tc"), Path("/usr/lib/tc"), Path("/usr/share/tc"))


def installed(distribution):
    for folder in FOLDERS:
        path = folder / f"{distribution}.dist"
        if path.exists():
            lines = path.read_text().splitlines()
            return [int(word) for line in lines if not line.startswith("#") for word in line.split()]
    return None


@pytest.mark.parametrize("distribution", NAMED)
def test_table_is_that_of_iproute2(distribution):
    theirs = installed(distribution)
    if theirs is None:
        pytest.skip("iproute2's *.dist files are not installed")
    assert len(theirs) == ENTRIES
    assert max(abs(a - b) for a, b in zip(table(distribution), theirs, strict=True)) <= 1


@pytest.mark.parametrize("distribution", NAMED)
def test_table_is_an_inverse_distribution_function(distribution):
    values = table(distribution)
    assert len(values) == ENTRIES
    assert list(values) == sorted(values)
    assert min(values) >= -4 * SCALE
    assert max(values) < 4 * SCALE


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation"),
    [("normal", 0.0, 1.0), ("pareto", -0.0335, 0.8197), ("paretonormal", -0.0253, 0.8339)],
)
def test_moments_are_those_the_documentation_names(distribution, mean, deviation):
    scaled = [value / SCALE for value in table(distribution)]
    assert fmean(scaled) == pytest.approx(mean, abs=1e-3)
    assert pstdev(scaled) == pytest.approx(deviation, abs=1e-3)


def test_uniform_is_what_the_kernel_does_without_a_table():
    assert table("uniform") == ()
    assert table_bytes("uniform") == b""


def test_bytes_are_int16():
    assert struct.unpack(f"={ENTRIES}h", table_bytes("pareto")) == table("pareto")
