from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import SpecError
from pqbed.plan import plan_sweep
from pqbed.runner import run_sweep
from pqbed.stats.classify_difference import Margin
from pqbed.stats.compare_runs import COMPARED, compare_runs, refuse_mixed
from pqbed.store.run_directory import Run
from pqbed.store.table_schemas import SAMPLES, conform
from support.sweeps import SWEEP, new_run


@pytest.fixture
def run_of(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    opened: list[Any] = []

    def make(**changes: Any) -> Run:
        run = new_run(tmp_path / f"{len(opened)}")
        opened.append(run)
        run_sweep(plan_sweep(replace(SWEEP, samples=40, **changes)), FakeBed(), run, lanes=1)
        return run

    yield make
    for run in opened:
        run.close()


def test_a_run_does_not_differ_from_itself(run_of: Callable[..., Any]) -> None:
    run = run_of()
    found = compare_runs(run, run, [50, 90])
    assert found.schema == COMPARED
    assert found.height == 16
    assert found["change_pct"].to_list() == pytest.approx([0] * 16)
    assert set(found["finding"]) <= {"undecided", "equivalent"}
    assert found["noise_pct"].null_count() == 16


def test_a_slower_run_is_found_slower_and_cells_of_one_run_alone_are_left_out(run_of: Callable[..., Any]) -> None:
    a, b = run_of(), run_of(rtt_ns=(200_000_000, 1_000_000))
    samples = b.samples().collect()
    slow = conform(samples.with_columns(last_byte_ns=(pl.col("last_byte_ns") * 1.5).cast(pl.Int64)), SAMPLES)
    b.samples = slow.lazy
    found = compare_runs(a, b, [50])
    assert found.height == 4
    assert set(found["rtt_ns"]) == {200_000_000}
    assert set(found["finding"]) == {"differs"}
    assert found["change_pct"].min() > 40


def test_runs_without_a_common_cell_are_refused(run_of: Callable[..., Any]) -> None:
    with pytest.raises(SpecError, match="no cell in common"):
        compare_runs(run_of(), run_of(rtt_ns=(1_000_000,)), [50])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bed", {"bed": "uml"}),
        ("clock", {"clock": "real"}),
        ("kernel", {"kernel": "6.12"}),
        ("images", {"artefacts": {"root": "sha256:1"}}),
    ],
)
def test_what_would_be_taken_for_a_change_is_refused_unless_asked_for(
    run_of: Callable[..., Any], name: str, change: dict[str, Any]
) -> None:
    manifest = run_of().manifest
    other = replace(manifest, **change)
    with pytest.raises(SpecError, match=name) as raised:
        refuse_mixed(manifest, other)
    assert f"--across {name}" in raised.value.hint
    refuse_mixed(manifest, other, [name])


def test_another_version_of_pqbed_itself_is_no_other_image(run_of: Callable[..., Any]) -> None:
    manifest = run_of().manifest
    refuse_mixed(manifest, replace(manifest, artefacts={**manifest.artefacts, "source": "other"}))


def test_an_unknown_difference_is_refused(run_of: Callable[..., Any]) -> None:
    manifest = run_of().manifest
    with pytest.raises(SpecError, match="there is no 'host'"):
        refuse_mixed(manifest, manifest, ["host"])


def test_the_aa_arm_is_not_compared_and_gives_the_noise_floor(run_of: Callable[..., Any]) -> None:
    a, b = run_of(aa=True), run_of(aa=True, seed=2)
    found = compare_runs(a, b, [50])
    assert set(found["profile"]) == {"classic", "pq"}
    assert found.height == 8
    # Arms that are equal, drawn without shared blocks as the runs are: the floor is as wide as the noise of a change.
    widths = (found["change_high_pct"] - found["change_low_pct"]).to_list()
    assert all(width / 4 < noise < 2 * width for noise, width in zip(found["noise_pct"], widths, strict=True))
    assert "differs" not in set(found["finding"])
    alone = compare_runs(run_of(), b, [50])
    assert alone["noise_pct"].to_list() == compare_runs(b, run_of(), [50])["noise_pct"].to_list()
    assert (found["noise_pct"] >= alone["noise_pct"]).all()


def test_the_margin_decides_what_is_equivalent(run_of: Callable[..., Any]) -> None:
    a, b = run_of(), run_of(seed=2)
    wide, narrow = (compare_runs(a, b, [50], margin=Margin(amount=ppm)) for ppm in (500_000, 1))
    assert set(wide["finding"]) == {"equivalent"}
    assert "equivalent" not in set(narrow["finding"])
