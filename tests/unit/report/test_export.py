"""Tables are exported in batches: together they are the table, in every format."""

import io
import json
from pathlib import Path

import polars as pl
import pytest

from pqbed.errors import StoreError
from pqbed.report import export
from pqbed.report.export import Format, stream_table, tabulate_run, write_table
from pqbed.store.table_schemas import SAMPLES
from support.reports import MakeRun

READERS = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_json}


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
@pytest.mark.parametrize("content", ["samples", "phases"])
def test_batches_together_are_the_table(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, form: Format, content: str
) -> None:
    run = make_run(samples=4)
    whole = pl.concat(tabulate_run(run, content))
    monkeypatch.setattr(export, "ROWS_TOGETHER", 7)
    monkeypatch.setattr(export, "LINES_TOGETHER", 3)
    assert [batch.height for batch in tabulate_run(run, content)] == [*[7] * 6, 6]
    file = io.BytesIO()
    stream_table(tabulate_run(run, content), form, file)
    file.seek(0)
    assert READERS[form](file).rows() == READERS[form](written(whole, form)).rows()


def written(table: pl.DataFrame, form: Format) -> io.BytesIO:
    file = io.BytesIO()
    {"csv": table.write_csv, "parquet": table.write_parquet, "json": table.write_json}[form](file)
    file.seek(0)
    return file


def test_texts_with_line_breaks_stay_whole_in_json() -> None:
    file = io.BytesIO()
    stream_table(iter([pl.DataFrame({"a": ["x\ny", '"}\n']}), pl.DataFrame({"a": ["z"]})]), "json", file)
    assert [row["a"] for row in json.loads(file.getvalue())] == ["x\ny", '"}\n', "z"]


def test_a_table_without_rows_has_its_columns() -> None:
    for form in ("csv", "parquet"):
        file = io.BytesIO()
        stream_table(iter([SAMPLES.to_frame()]), form, file)
        file.seek(0)
        assert READERS[form](file).columns == list(SAMPLES)
    file = io.BytesIO()
    stream_table(iter([SAMPLES.to_frame()]), "json", file)
    assert json.loads(file.getvalue()) == []


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_a_full_disk_is_named(form: Format) -> None:
    with pytest.raises(StoreError, match="no space is left for /dev/full"):
        write_table(iter([pl.DataFrame({"a": range(50_000)})]), form, Path("/dev/full"))


def test_a_file_that_could_not_be_finished_is_removed(tmp_path: Path) -> None:
    def batches() -> export.Batches:
        yield pl.DataFrame({"a": [1]})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(batches(), "csv", tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
