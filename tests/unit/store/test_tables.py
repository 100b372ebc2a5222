import json
from pathlib import Path

import polars as pl
import pytest

from pqbed.errors import StoreError
from pqbed.spec.link import GilbertElliott, RandomLoss
from pqbed.spec.profile import Chain, Profile
from pqbed.stats.link_verdicts import confirm_links
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.host_facts import read_host
from pqbed.store.manifest import dump_manifest, read_manifest, resume_manifest
from pqbed.store.table_schemas import CELLS, SAMPLES, check_id, conform, sample_from_row, sample_to_row
from support.sweeps import manifest, new_run, sample, small_plan


def test_a_sample_is_a_flat_row_and_back() -> None:
    row = sample_to_row(sample(1))
    assert list(row) == list(SAMPLES)
    assert sample_from_row(row) == sample(1)


def test_the_columns_of_the_design() -> None:
    design = """cell_id block repetition lane seed outcome detail tcp_connect_ns tls_done_ns first_byte_ns last_byte_ns
    body_bytes http_status group signature retransmits lost tcp_rtt_ns cwnd queue_drops
    provider client_provider bed clock kernel host
    cpu_pressure_ppm cpu_steal_ppm cpu_throttled_ppm pressed signature_provider client_signature_provider ecn_marks
    hello_retry hello_retry_ns quic_initials quic_unvalidated_bytes quic_blocked_ns quic_lost quic_rtt_ns
    quic_cwnd_bytes"""
    assert list(SAMPLES) == design.split()
    design = """cell_id profile stack group chain chain_wire_bytes mutual rtt_ns bandwidth_bps loss_ppm
    jitter_ns distribution queue segmentation layout
    initcwnd_server initcwnd_client congestion_control mtu http size_bytes"""
    assert set(design.split()) <= set(CELLS)


def test_cells_tell_what_was_asked() -> None:
    burst = GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=90_000)
    plan = small_plan(loss=(RandomLoss(probability_ppm=10_000), burst), bandwidth_bps=(None,))
    cells = tabulate_cells(plan, {"pq": 11_000})
    assert cells.schema == CELLS
    assert cells["cell_id"].to_list() == list(plan.cells)
    assert set(cells["bandwidth_bps"]) == {None}
    assert set(cells.filter(loss_model="random")["loss_ppm"]) == {10_000}
    assert set(cells.filter(loss_model="gilbert-elliott")["loss_ppm"]) == {100_000}
    assert set(cells.filter(profile="pq")["chain_wire_bytes"]) == {11_000}
    assert set(cells.filter(profile="classic")["chain_wire_bytes"]) == {None}


def test_cells_tell_sides_and_directions_apart() -> None:
    burst = GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=90_000)
    plan = small_plan(bandwidth_up_bps=(None, 500_000), loss_up=(None, burst), congestion_control_client=(None, "bbr"))
    cells = tabulate_cells(plan, {})
    assert set(cells["bandwidth_up_bps"]) == {None, 500_000}
    assert set(cells["congestion_control_client"]) == {None, "bbr"}
    up = cells.select("loss_up_model", "loss_up_ppm", "loss_up_enter_bad_ppm", "loss_up_in_good_ppm")
    assert set(up.rows()) == {(None, None, None, None), ("gilbert-elliott", 100_000, 10_000, 0)}


def test_cells_name_chains_and_those_of_clients() -> None:
    mixed = Chain(algorithm="mldsa44", intermediate="mldsa65")
    padded = Chain(algorithm="rsa2048", wire_bytes=16_000)
    profiles = (
        Profile(name="mixed", group="X25519", chain=mixed),
        Profile(name="mutual", group="X25519", chain=padded, mutual=True),
        Profile(name="other", group="X25519", chain=padded, mutual=True, client_chain=mixed),
    )
    cells = tabulate_cells(small_plan(profiles=profiles), {"mixed": 10_532}, {"mixed": None, "other": 10_532})
    rows = cells.select("profile", "chain", "client_chain", "client_chain_wire_bytes").unique().rows()
    assert set(rows) == {
        ("mixed", "mldsa44+mldsa65", None, None),
        ("mutual", "rsa2048x2+pad16000", "rsa2048x2+pad16000", None),
        ("other", "rsa2048x2+pad16000", "mldsa44+mldsa65", 10_532),
    }


def test_nothing_is_confirmed_without_samples() -> None:
    cells = confirm_links(tabulate_cells(small_plan(), {}), SAMPLES.to_frame().lazy())
    assert cells.schema == CELLS
    assert cells["link_applied"].null_count() == cells.height == cells["applied_rtt_ns"].null_count()


def test_tables_that_were_not_written_are_empty(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        assert run.cells().collect().is_empty()
        assert run.summary().collect().is_empty()


def test_an_older_table_gets_the_columns_it_lacks() -> None:
    frame = conform(pl.DataFrame({"cell_id": ["a"], "other": [1]}), CELLS)
    assert frame.schema == CELLS
    assert frame["cell_id"].to_list() == ["a"]


@pytest.mark.parametrize("found", [None, "", "pqbed.samples", "pqbed.cells/1", "pqbed.samples/2", "pqbed.samples/x"])
def test_other_schemas_are_refused(found: str | None) -> None:
    with pytest.raises(StoreError):
        check_id(found, "pqbed.samples/1", "x")


def test_older_numbers_of_a_schema_are_read() -> None:
    check_id("pqbed.samples/1", "pqbed.samples/3", "x")


def test_a_manifest_comes_back(tmp_path: Path) -> None:
    whole = resume_manifest(manifest(), ["pqbed", "sweep", "--resume", "x"], 12)
    (tmp_path / "manifest.json").write_bytes(dump_manifest(whole))
    assert read_manifest(tmp_path) == whole
    assert whole.run_again == "pqbed sweep"
    assert "polars" in whole.packages
    assert whole.resumed[0].command[-1] == "x"


def test_fields_added_later_do_not_disturb_this_reader(tmp_path: Path) -> None:
    text = json.loads(dump_manifest(manifest())) | {"later": 1}
    (tmp_path / "manifest.json").write_text(json.dumps(text))
    assert read_manifest(tmp_path).pqbed


def test_the_host_is_described() -> None:
    host = read_host()
    assert host.cores >= 1
    assert host.kernel
    assert host.cpu_model
