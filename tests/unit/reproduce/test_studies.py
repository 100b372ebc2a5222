"""The studies that come with pqbed, and the numbers they are judged by."""

from dataclasses import replace
from typing import Any

import pytest

from pqbed.errors import SpecError
from pqbed.plan import plan_sweep, plan_sweeps
from pqbed.reproduce.published_numbers import read_published
from pqbed.reproduce.stored_plan import study_to_toml
from pqbed.spec.link import RandomLoss, mean_loss_ppm
from pqbed.spec.published_tables import read_published_rows
from pqbed.spec.study import Claim, Study
from pqbed.spec.study_toml import study_from, study_names, study_table
from pqbed.units import format_rate
from support.units import MS


def read(name: str = "madweb2024", **typed: Any) -> Study:
    return study_from(study_table(name), typed).study


def test_they_are_there() -> None:
    assert study_names() == ("initcwnd2025", "madweb2024", "madweb2024-unlimited", "madweb2024-wire", "paquin2020")


@pytest.mark.parametrize(
    ("name", "cells", "claims", "windows", "losses"),
    [
        ("initcwnd2025", 72, 72, {(24, 10), (24, 24)}, {0}),
        ("paquin2020", 120, 240, {(10, 10)}, {0, 10_000, 30_000, 50_000, 100_000}),
    ],
)
def test_a_study_of_raw_samples_has_a_claim_per_cell(
    name: str, cells: int, claims: int, windows: set[tuple[int, int]], losses: set[int]
) -> None:
    study = read(name)
    plan = plan_sweeps(tuple(study.sweeps.values()), samples=1, seed=1)
    assert (len(plan.cells), len(study.claims)) == (cells, claims)
    assert len({claim.name for claim in study.claims}) == len({claim.published for claim in study.claims}) == claims
    assert {(cell.tcp.initcwnd_server, cell.tcp.initcwnd_client) for cell in plan.cells.values()} == windows
    assert {mean_loss_ppm(cell.link.loss) for cell in plan.cells.values()} == losses
    numbers = read_published(study.published)
    for claim in study.claims:
        assert claim.low is not None
        assert claim.high is not None
        published = numbers[claim.published]
        assert claim.percentile == published.percentile
        assert claim.high - published.value == pytest.approx(published.value - claim.low, abs=0.11)
        cell_sizes = {size // 1024 for size in study.sweeps[claim.measure.sweep].size_bytes}
        assert published.size_kib is None or published.size_kib in cell_sizes


def test_bands_of_a_comparison_of_the_network_have_no_cpu_time() -> None:
    assert {name: read(name).network_alone for name in study_names()} == {
        "initcwnd2025": True,
        "madweb2024": False,
        "madweb2024-unlimited": False,
        "madweb2024-wire": False,
        "paquin2020": True,
    }


def test_a_word_of_a_claim_must_lead_to_a_published_number() -> None:
    table = study_table("initcwnd2025")
    table["claims"][0]["each"]["client"] = ["11"]
    with pytest.raises(SpecError, match="published number"):
        study_from(table)


def test_a_claim_is_about_the_link_of_its_published_number() -> None:
    for name in ("initcwnd2025", "paquin2020"):
        study = read(name)
        by_id = {row["id"]: row for row in read_published_rows(study.published)}
        for claim in study.claims:
            sweep, row = study.sweeps[claim.measure.sweep], by_id[claim.published]
            assert sweep.rtt_ns == (round(float(row["rtt_ms"]) * MS),)
            assert [format_rate(rate) for rate in sweep.bandwidth_bps] == [row["bandwidth"]]
            assert [mean_loss_ppm(loss) for loss in sweep.loss] == [10_000 * int(row["loss_pct"])]
            if row["size_kib"]:
                assert claim.measure.size_bytes == 1024 * int(row["size_kib"])
                assert row["initcwnd"] == f"server {sweep.initcwnd[0]}, client {sweep.initcwnd_client[0]}"
                # The study's timer counts a round trip more where there is data.
                assert claim.measure.rtts == (1 if claim.measure.size_bytes else 0)


def test_every_cell_is_shaped_as_in_the_study() -> None:
    study = read()
    plan = plan_sweeps(tuple(study.sweeps.values()), samples=1, seed=1)
    assert {(cell.link.segmentation, cell.link.limit_packets) for cell in plan.cells.values()} == {
        ("offload-off", 1000)
    }
    assert {cell.tcp.congestion_control for cell in plan.cells.values()} == {"cubic"}
    narrow = plan_sweep(study.sweeps["narrow-window"]).cells
    windows = {name: cell.tcp.initcwnd_server for name, cell in plan.cells.items() if name not in narrow}
    assert set(windows.values()) == {20}
    assert (study.samples, len(plan.cells)) == (1000, 70)
    assert {cell.profile.copy_of for cell in plan.cells.values()} == {None}


@pytest.mark.parametrize(
    ("sweep", "rtts_ms", "rate_bps", "losses_ppm", "sizes_kib"),
    [
        ("figure-1", {35, 200}, 10**6, {0, 10_000, 30_000, 100_000}, {0}),
        ("figure-2", {35}, 10**9, {0}, {0, 50, 100, 150, 200}),
        ("figure-3", {200}, 10**6, {0}, {0, 50, 100, 150, 200}),
        ("figure-4", {200}, 10**6, {100_000}, {0, 50, 100, 150, 200}),
        ("figure-5", {35}, 10**9, {0}, {0, 50, 100, 150, 200}),
    ],
)
def test_the_sweeps_are_those_of_the_figures(
    sweep: str, rtts_ms: set[int], rate_bps: int, losses_ppm: set[int], sizes_kib: set[int]
) -> None:
    axes = read().sweeps[sweep]
    assert {rtt // MS for rtt in axes.rtt_ns} == rtts_ms
    assert axes.bandwidth_bps == (rate_bps,)
    assert {loss.probability_ppm for loss in axes.loss if isinstance(loss, RandomLoss)} == losses_ppm
    assert {size // 1024 for size in axes.size_bytes} == sizes_kib
    assert axes.profiles[0].name == "rsa-2.5KB"


def test_all_figures_are_drawn_and_judged() -> None:
    study = read()
    assert [figure.number for figure in study.figures] == list("123456")
    assert len(study.figures[5].sweeps) == 5
    numbers = read_published(study.published)
    judged = {numbers[claim.published].figure for claim in study.claims}
    assert judged == {*"123456", "text", "abstract"}


def test_every_published_number_has_one_claim_or_more() -> None:
    study = read()
    assert {claim.published for claim in study.claims} == set(read_published(study.published))


def holds(claim: Claim, value: float) -> bool:
    return (claim.low is None or claim.low <= value) and (claim.high is None or value <= claim.high)


def test_every_band_holds_what_was_published() -> None:
    study = read()
    numbers = read_published(study.published)
    for claim in study.claims:
        number = numbers[claim.published]
        assert holds(claim, number.value), claim.name
        assert number.value_to is None or holds(claim, number.value_to), claim.name
        assert (claim.measure.kind == "none") == (claim.low is None and claim.high is None), claim.name


def test_names_of_claims_are_told_apart() -> None:
    names = [claim.name for claim in read().claims]
    assert len(set(names)) == len(names)


def test_the_wire_preset_differs_in_segmentation_alone() -> None:
    study, wire = read(), read("madweb2024-wire")
    assert {sweep.segmentation for sweep in wire.sweeps.values()} == {("wire",)}
    again = {
        name: replace(sweep, segmentation=("offload-off",), name=study.name) for name, sweep in wire.sweeps.items()
    }
    assert again == study.sweeps
    assert [replace(claim, why="") for claim in wire.claims] == [replace(claim, why="") for claim in study.claims]
    assert wire.figures == study.figures


def test_the_unlimited_preset_differs_in_the_fast_link_alone() -> None:
    study, unlimited = read(), read("madweb2024-unlimited")
    limited = {(1_000_000,): (1_000_000,), (None,): (1_000_000_000,)}
    again = {
        name: replace(sweep, bandwidth_bps=limited[sweep.bandwidth_bps], name=study.name)
        for name, sweep in unlimited.sweeps.items()
    }
    assert again == study.sweeps
    assert {claim.name for claim in unlimited.claims} == {claim.name for claim in study.claims}


def test_the_study_is_written_down_whole() -> None:
    import tomllib

    typed = {"samples": "7", "seed": None, "run": {"bed": "fake", "lanes": "2"}}
    found = study_from(study_table("madweb2024-wire"), typed)
    assert (found.study.samples, found.options.bed, found.options.lanes) == (7, "fake", 2)
    assert study_from(tomllib.loads(study_to_toml(found.table))) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claims": [{}]}, r"the study is wrong at claims\.0\.name"),
        ({"sweeps": {"figure-1": {"rtt": ["soon"]}}}, "sweep 'figure-1' of the study: rtt"),
        ({"figures": [{"number": "7", "kind": "bars", "title": "t", "sweeps": ["x"]}]}, "no sweep in the study 'x'"),
        ({"titel": "t"}, "titel"),
    ],
)
def test_a_wrong_study_is_refused(change: dict[str, object], message: str) -> None:
    table = study_table("madweb2024")
    for key, value in change.items():
        table[key] = {**table[key], **value} if isinstance(value, dict) else value
    with pytest.raises(SpecError, match=message):
        study_from(table)


def test_an_unknown_study_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="there is no study 'madweb'") as caught:
        study_table("madweb")
    assert "madweb2024" in caught.value.hint
