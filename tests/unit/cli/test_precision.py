import json
import re
import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.report.write_report import write_report
from pqbed.store.run_directory import open_run
from support.command_line import SMALL, Pqbed, interrupt_a_slow_sweep, only_run

PRECISE = (*SMALL, "--precision", "4", "--max-samples", "60")


def test_a_sweep_says_what_it_spent_where(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("sweep", *PRECISE)
    assert ended.code == 0
    assert "24 cells x 20 to 60 samples, until each increase at p50 is known to ±4%: 480 to 1440 fetches" in ended.err
    told = re.search(r"^precision ±4 points at p50: (.*)$", ended.out, re.MULTILINE)[1]
    assert re.match(r"[1-8] of 8 comparisons reached it with \d+ to \d+ samples per cell; .*fetches in all$", told)
    assert "±" in ended.out
    assert "reached" in ended.out
    path = only_run(tmp_path)
    kept = pl.read_parquet(path / "precision.parquet")
    told = json.loads(pqbed("show", "latest", "--json").out)
    assert told["precision"] == kept.to_dicts()
    assert kept.height == 8
    assert kept["fetches"].sum() == pl.read_parquet(path / "samples").height
    for row in kept.filter(pl.col("standing") == "reached").to_dicts():
        arms = [
            cell
            for cell in told["cells"]
            if cell["baseline"] and all(cell[name] == row[name] for name in ("rtt_ns", "loss_ppm", "size_bytes"))
        ]
        assert {arm["profile"] for arm in arms} == {"pq", "classical-again"}
        widths = [(arm["increase_p50_high_pct"] - arm["increase_p50_low_pct"]) / 2 for arm in arms]
        assert row["half_width_pct"] == max(widths) <= 4
    assert pqbed("show", "latest").out == ended.out[ended.out.index("TTLB in ms") :]


def test_the_report_says_it_too(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *PRECISE)
    with open_run(only_run(tmp_path)) as run:
        page = write_report(run, figure_files=False).page.read_text()
    assert "95% interval of each increase at p50 of at most &plusmn;4 percentage points" in page
    assert page.count("<td>reached</td>") >= 1


def test_a_run_without_a_precision_says_nothing_of_it(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *SMALL, "--samples", "3")
    assert "precision" not in pqbed("show", "latest").out
    assert "precision" not in json.loads(pqbed("show", "latest", "--json").out)
    assert not (only_run(tmp_path) / "precision.parquet").exists()
    with open_run(only_run(tmp_path)) as run:
        assert 'id="precision"' not in write_report(run, figure_files=False).page.read_text()


def test_progress_ends_with_what_was_taken(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("sweep", *PRECISE)
    count = pl.read_parquet(only_run(tmp_path) / "samples").height
    last = [line for line in ended.err.splitlines() if "failed in" in line]
    assert len(last) == 1
    assert last[0].startswith(f"{count} of {count} samples, 0 failed in ")


def test_the_file_of_a_run_plans_the_same(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *PRECISE)
    planned = json.loads(pqbed("plan", "--spec", str(only_run(tmp_path) / "sweep.toml"), "--json").out)
    typed = json.loads(pqbed("plan", *PRECISE, "--json").out)
    assert planned["sweep"] == typed["sweep"]
    assert (typed["sweep"]["precision_ppm"], typed["sweep"]["samples"]) == (40_000, 60)
    assert (typed["estimate"]["fetches"], typed["estimate"]["least"]["fetches"]) == (1440, 480)


@pytest.mark.parametrize(
    ("file", "typed", "expected"),
    [
        ('precision = "2%"', (), (20_000, 1000)),
        ('precision = "2%"\nmax_samples = 50', (), (20_000, 50)),
        ('precision = "2%"\nmax_samples = 50', ("--max-samples", "70"), (20_000, 70)),
        ('precision = "2%"\nmax_samples = 50', ("--samples", "7"), (None, 7)),
        ("samples = 9", ("--precision", "0.5%"), (5_000, 1000)),
        ("samples = 9", ("--precision", "3"), (30_000, 1000)),
    ],
)
def test_the_later_word_counts(
    pqbed: Pqbed, tmp_path: Path, file: str, typed: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    (tmp_path / "sweep.toml").write_text(f'{file}\n[run]\nbed = "fake"\n')
    sweep = json.loads(pqbed("plan", "--spec", "sweep.toml", *typed, "--json").out)["sweep"]
    assert (sweep["precision_ppm"], sweep["samples"]) == expected


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--precision", "1", "--samples", "5"), "--samples and --precision exclude each other"),
        (("--max-samples", "5"), "--max-samples needs --precision"),
        (("--precision", "0"), "--precision: '0' is out of range"),
        (("--precision", "200%"), "--precision: '200%' is out of range"),
        (("--precision", "1", "--profile", "pq", "--no-aa"), "--precision needs at least two profiles to compare"),
        (("--precision", "1", "--max-samples", "0"), "--max-samples: '0' is out of range"),
        (("--precision", "narrow"), "--precision: 'narrow'"),
    ],
)
def test_what_makes_no_sense_is_refused(pqbed: Pqbed, typed: tuple[str, ...], told: str) -> None:
    ended = pqbed("plan", "--bed", "fake", *typed)
    assert ended.code == 2
    assert told in ended.err


def test_a_file_needs_the_unit(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text("precision = 1\n")
    assert pqbed("plan", "--bed", "fake", "--spec", "sweep.toml").code == 2


def test_interrupted_and_resumed_it_holds_what_it_would_have_held(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *PRECISE, "--out", "whole")
    [whole] = (tmp_path / "whole").iterdir()
    code, out, _ = interrupt_a_slow_sweep(tmp_path, signal.SIGTERM, PRECISE)
    assert code == 130
    assert "open" in out
    assert pqbed("sweep", "--resume", "latest", "--precision", "2").code == 2
    assert pqbed("sweep", "--resume", "latest").code == 0
    tables = [pl.read_parquet(path / "samples") for path in (whole, only_run(tmp_path))]
    one, other = (table.drop("lane").sort("cell_id", "block") for table in tables)
    assert one.equals(other)
