import io
import json
import shutil
import webbrowser
from pathlib import Path

import polars as pl
import pytest

from pqbed_cli import main
from pqbed_cli.exits import USAGE
from support.command_line import Pqbed

SMALL = ("--bed", "fake", "--rtt", "35,200", "--bandwidth", "1", "--size", "0,50", "--samples", "40")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    assert main.run(("sweep", *SMALL, "--out", str(out))) == 0
    [folder] = out.iterdir()
    return folder


@pytest.fixture
def run(pqbed: Pqbed, swept: Path) -> Path:  # noqa: ARG001 (it makes the folder where we are)
    return Path(shutil.copytree(swept, Path("results") / swept.name))


@pytest.mark.usefixtures("drawn")
def test_report_says_where_it_lies(pqbed: Pqbed, run: Path) -> None:
    ended = pqbed("report", "latest", "--percentile", "50,99")
    assert ended.code == 0
    assert ended.out == f"figures: {run}/figures (25 files)\nreport: {run}/report.html\n"
    page = (run / "report.html").read_text()
    assert 'value="p99"' in page
    assert (run / "figures" / "ttlb-over-size-dark.svg").stat().st_size > 1000


@pytest.mark.parametrize("found", [True, False])
def test_report_opens_the_page_or_says_how(
    pqbed: Pqbed, run: Path, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or found)
    ended = pqbed("report", "latest", "--open")
    assert opened == [(run / "report.html").resolve().as_uri()]
    assert ("no browser was found" in ended.err) is not found


def test_report_refuses_an_unknown_baseline_and_percentile(pqbed: Pqbed, run: Path) -> None:
    assert run.is_dir()
    for arguments, words in ((("--baseline", "x"), "'x'"), (("--percentile", "101"), "101")):
        ended = pqbed("report", "latest", *arguments)
        assert ended.code == USAGE
        assert words in ended.err


def test_compare_prints_cell_by_cell(pqbed: Pqbed, run: Path) -> None:
    ended = pqbed("compare", str(run), "latest")
    assert ended.code == 0
    head, *rows = ended.out.partition("slower\n")[2].splitlines()
    assert head.split() == [
        "link",
        "size",
        "profile",
        "at",
        "a",
        "ms",
        "b",
        "ms",
        "change",
        "finding",
        "noise",
        "ok",
        "a",
        "ok",
        "b",
    ]
    assert len([row for row in rows if "40/40" in row]) == 16
    assert rows[-1].startswith("b against a, at 95%, equivalent within ±1%: ")
    cells = json.loads(pqbed("compare", str(run), "latest", "--json").out)["cells"]
    assert len(cells) == 16
    assert cells[0]["change_pct"] == 0
    assert {cell["finding"] for cell in cells} <= {"equivalent", "within noise", "undecided"}
    loose = json.loads(pqbed("compare", str(run), "latest", "--margin", "10s", "--json").out)
    assert loose["margin"] == "10s"
    assert {cell["finding"] for cell in loose["cells"]} == {"equivalent"}


def test_a_run_from_before_there_was_an_aa_arm_is_still_read(pqbed: Pqbed) -> None:
    assert pqbed("sweep", *SMALL, "--no-aa").code == 0
    [run] = Path("results").iterdir()
    path = run / "cells.parquet"
    old = {"schema": pl.read_parquet_metadata(path)["schema"]}
    pl.read_parquet(path).drop("copy_of").write_parquet(path, metadata=old)
    (run / "sweep.toml").write_text((run / "sweep.toml").read_text().replace("aa = false\n", ""))
    shown = pqbed("show", "latest")
    assert "noise" not in shown.out
    assert "differs" in shown.out
    assert pqbed("report", "latest").code == 0
    page = (run / "report.html").read_text()
    assert "Noise (" not in page
    assert ">Finding</th>" in page
    compared = json.loads(pqbed("compare", str(run), "latest", "--json").out)["cells"]
    assert {cell["noise_pct"] for cell in compared} == {None}
    assert pqbed("explain", "latest", "--size", "50").code == 0


def test_compare_refuses_what_would_mislead_and_says_how_to_insist(pqbed: Pqbed, run: Path) -> None:
    copy = Path("copy")
    copy.mkdir()
    for path in run.rglob("*"):
        target = copy / path.relative_to(run)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(path.read_bytes())
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"kernel": "6.12", "clock": "real"}))
    ended = pqbed("compare", str(run), "copy")
    assert ended.code == USAGE
    assert "--across clock,kernel" in ended.err
    assert pqbed("compare", str(run), "copy", "--across", "clock,kernel").code == 0


def test_export_writes_every_format(pqbed: Pqbed, run: Path) -> None:
    assert run.is_dir()
    readers = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_json}
    for form, read in readers.items():
        assert pqbed("export", "latest", f"--{form}", "--to", f"samples.{form}").code == 0
        table = read(f"samples.{form}")
        assert table.height == 480
        assert {"last_byte_ns", "rtt_ns", "profile"} <= set(table.columns)


def test_export_goes_to_the_output(pqbed: Pqbed, run: Path) -> None:
    assert run.is_dir()
    text = pqbed("export", "latest", "--csv", "--table", "percentiles", "--percentile", "50").out
    assert pl.read_csv(io.StringIO(text)).height == 12
    text = pqbed("export", "latest", "--csv", "--table", "phases").out
    phases = pl.read_csv(io.StringIO(text))
    assert phases.height == 480
    assert phases["lost_syns"].sum() == 0
    assert phases["expected_ns"].null_count() == 0
    parts = pl.sum_horizontal(f"phase_{name}_ns" for name in ("connect", "tls", "first_byte", "transfer"))
    samples = pl.read_csv(io.StringIO(pqbed("export", "latest", "--csv", "--table", "samples").out))
    pairs = phases.join(samples, on=["cell_id", "repetition"], how="inner")
    assert pairs.height == 480
    assert pairs.select(parts == pl.col("last_byte_ns")).to_series().all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "one format"),
        (("--csv", "--json"), "one format"),
        (("--csv", "--table", "summaries"), "summary"),
        (("--csv", "--to", "no/such/file.csv"), "no folder"),
    ],
)
def test_export_refuses_what_it_cannot_do(pqbed: Pqbed, run: Path, arguments: tuple[str, ...], words: str) -> None:
    assert run.is_dir()
    ended = pqbed("export", "latest", *arguments)
    assert ended.code == USAGE
    assert words in ended.err
