from dataclasses import replace

import polars as pl
import pytest
from sweeps import SWEEP, new_run

from pqbed.beds.fake import FakeBed
from pqbed.errors import SpecError
from pqbed.plan import plan_sweep
from pqbed.runner import run_sweep
from pqbed.stats.bootstrap import Increase
from pqbed.stats.compare import COMPARED, compare_runs, refuse_mixed, word_change
from pqbed.store.schema import SAMPLES, conform


@pytest.fixture
def run_of(tmp_path):
    opened = []

    def make(**changes):
        run = new_run(tmp_path / f"{len(opened)}")
        opened.append(run)
        run_sweep(plan_sweep(replace(SWEEP, samples=40, **changes)), FakeBed(), run, lanes=1)
        return run

    yield make
    for run in opened:
        run.close()


def test_a_run_does_not_differ_from_itself(run_of):
    run = run_of()
    found = compare_runs(run, run, [50, 90])
    assert found.schema == COMPARED
    assert found.height == 16
    assert found["change_pct"].to_list() == pytest.approx([0] * 16)
    assert set(found["change"]) <= {"undecided", "same"}


def test_a_slower_run_is_found_slower_and_cells_of_one_run_alone_are_left_out(run_of):
    a, b = run_of(), run_of(rtt_ns=(200_000_000, 1_000_000))
    samples = b.samples().collect()
    slow = conform(samples.with_columns(last_byte_ns=(pl.col("last_byte_ns") * 1.5).cast(pl.Int64)), SAMPLES)
    b.samples = slow.lazy
    found = compare_runs(a, b, [50])
    assert found.height == 4
    assert set(found["rtt_ns"]) == {200_000_000}
    assert set(found["change"]) == {"slower"}
    assert found["change_pct"].min() > 40


def test_runs_without_a_common_cell_are_refused(run_of):
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
def test_what_would_be_taken_for_a_change_is_refused_unless_asked_for(run_of, name, change):
    manifest = run_of().manifest
    other = replace(manifest, **change)
    with pytest.raises(SpecError, match=name) as raised:
        refuse_mixed(manifest, other)
    assert f"--across {name}" in raised.value.hint
    refuse_mixed(manifest, other, [name])


def test_another_version_of_pqbed_itself_is_no_other_image(run_of):
    manifest = run_of().manifest
    refuse_mixed(manifest, replace(manifest, artefacts={**manifest.artefacts, "source": "other"}))


def test_an_unknown_difference_is_refused(run_of):
    manifest = run_of().manifest
    with pytest.raises(SpecError, match="there is no 'host'"):
        refuse_mixed(manifest, manifest, ["host"])


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (1, 2, "slower"),
        (-2, -1, "faster"),
        (-1, 1, "undecided"),
        (0.001, 0.002, "same"),
        (float("nan"), 1, "unknown"),
        (float("nan"), -1, "faster"),
        (1, float("nan"), "slower"),
    ],
)
def test_a_change_in_words(low, high, word):
    assert word_change(Increase(point=0, low=low, high=high)) == word
