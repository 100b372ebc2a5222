"""What a resumed run must have in common with its samples."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.errors import StoreError
from pqbed.plan import Plan, plan_hash
from pqbed.store.provenance import other_lane, refuse_other_artefacts, refuse_other_plan
from pqbed.store.run_directory import Run
from support.sweeps import manifest, new_run, sample, small_plan


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with new_run(tmp_path) as run:
        run.write_manifest(replace(run.manifest, plan=plan_hash(small_plan()), seed=small_plan().seed, kernel="fake-1"))
        run.journal(0).append(sample(0))
        yield run


def refuse_plan(run: Run, plan: Plan) -> None:
    refuse_other_plan(run, plan=plan_hash(plan), seed=plan.seed, file="sweep.toml", restart="pqbed sweep --spec x")


def test_the_same_plan_is_accepted(run: Run) -> None:
    refuse_plan(run, small_plan())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "the seed in sweep.toml was 1 and is now 4"),
        ({"timeout_ns": 1_000_000}, "the plan in sweep.toml"),
        ({"samples": 5}, "the plan in sweep.toml"),
        ({"rtt_ns": (35_000_000,)}, "the plan in sweep.toml"),
        ({"precision_ppm": 30_000}, "the plan in sweep.toml"),
    ],
)
def test_another_plan_is_refused_and_the_way_on_is_named(run: Run, change: dict[str, Any], named: str) -> None:
    with pytest.raises(StoreError, match=named) as refusal:
        refuse_plan(run, small_plan(**change))
    assert "pqbed sweep --spec x" in refusal.value.hint


@pytest.mark.parametrize(
    ("change", "named"),
    [({"bed": "uml"}, "bed"), ({"clock": "real"}, "clock"), ({"kernel": "7.3.9"}, "kernel")],
)
def test_a_manifest_that_belies_its_samples_is_refused(run: Run, change: dict[str, Any], named: str) -> None:
    run.write_manifest(replace(run.manifest, **change))
    with pytest.raises(StoreError, match=f"the {named} of the manifest"):
        refuse_plan(run, small_plan())


def test_a_run_of_an_older_pqbed_has_no_plan_to_compare(run: Run) -> None:
    run.write_manifest(replace(run.manifest, plan=""))
    refuse_plan(run, small_plan(samples=5))


def test_each_artefact_that_differs_is_named_with_both_hashes(run: Run) -> None:
    refuse_other_artefacts(run, {"root": "sha256:0"}, "pqbed sweep")
    with pytest.raises(StoreError, match="kernel was none and is now 7 abc; root was sha256:0 and is now sha256:1"):
        refuse_other_artefacts(run, {"root": "sha256:1", "kernel": "7 abc"}, "pqbed sweep")
    with pytest.raises(StoreError, match="root was sha256:0 and is now none"):
        refuse_other_artefacts(run, {}, "pqbed sweep")


def test_without_recorded_artefacts_none_are_compared(run: Run) -> None:
    run.write_manifest(replace(run.manifest, artefacts={}))
    refuse_other_artefacts(run, {"root": "sha256:1"}, "pqbed sweep")


def test_a_lane_is_compared_by_kernel_versions_and_sysctls() -> None:
    before = replace(manifest(), kernel="7.3.4", versions={"nginx": "1.26"}, sysctls={"net.ipv4.tcp_sack": "1"})
    assert other_lane(before, "7.3.4", {"nginx": "1.26", "later": "1"}, {}) == ""
    assert other_lane(before, "7.3.9", {}, {}) == "the kernel was 7.3.4 and is now 7.3.9"
    assert other_lane(before, "7.3.4", {"nginx": "1.27"}, {}) == "nginx was 1.26 and is now 1.27"
    assert "tcp_sack" in other_lane(before, "7.3.4", {}, {"net.ipv4.tcp_sack": "0"})
    assert other_lane(replace(before, kernel=""), "7.3.9", {}, {}) == ""


def test_what_a_kernel_sizes_anew_at_each_boot_is_no_other_lane() -> None:
    before = replace(manifest(), kernel="7.3.4", sysctls={"net.ipv4.tcp_mem": "5856 7809 11712"})
    assert other_lane(before, "7.3.4", {}, {"net.ipv4.tcp_mem": "5799 7735 11598"}) == ""
