"""`--format`: the same cells in every form, each read back by a reader of it."""

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from pqbed_cli.exits import USAGE
from pqbed_cli.render.table import Table, plain_table
from pqbed_cli.render.table_formats import write_tables
from support.command_line import Pqbed, only_run

Grid = list[list[str]]

SWEEP = ("--bed", "fake", "--rtt", "35,200", "--bandwidth", "1", "--size", "0,50", "--samples", "8")
ODD = Table(
    title="50% of a_b",
    columns=("what", "a|b", "n"),
    rows=(("x & y_z", "a|b\\c*d*", "±1.5%"), ("<= {3} #1", "$~^", ""), ('say "hi", then', "\N{EM DASH}", "0 · 1")),
    numeric=(2,),
)


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: Grid = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def read_markdown(text: str) -> Grid:
    parser = _Cells()
    parser.feed(MarkdownIt("commonmark").enable("table").render(text))
    return parser.rows


def read_csv(text: str) -> Grid:
    return list(csv.reader(io.StringIO(text)))


def read_latex(text: str) -> Grid:
    """Undo what TeX would: commands to characters, `&` and the end of a row apart."""
    body = re.search(r"\\toprule\n(.*)\n\\bottomrule", text, re.DOTALL)[1].replace("\\midrule\n", "")
    words = {"textbackslash{}": "\\", "textasciitilde{}": "~", "textasciicircum{}": "^"}
    words |= {"textless{}": "<", "textgreater{}": ">"} | {char: char for char in "&%$#_{}"}
    rows = []
    for line in body.splitlines():
        assert line.endswith(" \\\\")
        cells = re.split(r"(?<!\\)&", line[:-3])
        assert not re.search(r"(?<!\\)[%#_]", line)
        text = "&&".join(cell.strip() for cell in cells).replace(r"$\pm$", "±").replace(r"$\cdot$", "·")
        for command, char in words.items():
            text = text.replace(f"\\{command}", char if command != "&" else "\0")
        rows.append([cell.replace("\0", "&") for cell in text.split("&&")])
    return rows


READERS: dict[str, Callable[[str], Grid]] = {"markdown": read_markdown, "csv": read_csv, "latex": read_latex}


@pytest.fixture
def run(pqbed: Pqbed, tmp_path: Path) -> Path:
    assert pqbed("sweep", *SWEEP).code == 0
    return only_run(tmp_path)


@pytest.mark.parametrize("form", READERS)
def test_odd_characters_come_back_from_every_form(form: str) -> None:
    text = write_tables([ODD], form)  # type: ignore[arg-type]
    assert READERS[form](text) == [list(row) for row in (ODD.columns, *ODD.rows)]


@pytest.mark.parametrize("form", READERS)
def test_show_writes_every_cell_of_the_run_as_one_table(form: str, pqbed: Pqbed, run: Path) -> None:
    assert run.is_dir()
    head, *rows = READERS[form](pqbed("show", "latest", "--format", form).out)
    cells = json.loads(pqbed("show", "latest", "--format", "json").out)["cells"]
    expected = [cell for cell in cells if not cell["copy_of"]]
    assert head[:5] == ["link", "size", "profile", "p50", "p90"]
    assert len(rows) == len(expected)
    shown = {tuple(row[:3]): float(row[3]) for row in rows}
    assert all(all(key) for key in shown)  # no cell is left out since it stands above
    for cell in expected:
        key = (f"rtt {cell['rtt_ns'] // 10**6}ms", f"{cell['size_bytes'] // 1024}KiB" if cell["size_bytes"] else "0B")
        assert shown[*key, cell["profile"]] == pytest.approx(cell["p50_ns"] / 1e6, rel=1e-3)


def test_what_stands_beside_a_table_goes_to_stderr_for_another_reader(pqbed: Pqbed, run: Path) -> None:
    for_people, for_paper = pqbed("show", str(run)), pqbed("show", str(run), "--format", "latex")
    assert "times as long as classical" in for_people.out
    assert "times as long as classical" in for_paper.err
    assert f"run: {run}" in for_paper.err
    assert for_paper.out.startswith("\\begin{tabular}")
    assert for_paper.out.rstrip().endswith("\\end{tabular}")


def test_json_is_a_format_and_its_short_flag_the_same(pqbed: Pqbed, run: Path) -> None:
    assert pqbed("show", str(run), "--json").out == pqbed("show", str(run), "--format", "json").out


@pytest.mark.parametrize("command", ["links", "presets", "algorithms", "doctor", "status"])
def test_commands_that_list_write_csv(command: str, pqbed: Pqbed) -> None:
    said = pqbed(command, "--format", "csv")
    rows = [row for row in read_csv(said.out) if row]
    assert "Traceback" not in said.err
    assert all(len(row) > 1 for row in rows)
    assert len(rows) > 1 or command == "status"  # no bed is up


def test_an_unknown_format_is_refused_before_anything_is_measured(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("sweep", *SWEEP, "--format", "xml")
    assert ended.code == USAGE
    assert "--format" in ended.err
    assert "xml" in ended.err
    assert not (tmp_path / "results").exists()


def test_people_read_once_what_several_rows_share() -> None:
    table = Table(columns=("size", "profile", "noise"), rows=(("0B", "a", "1"), ("0B", "b", "1")), once=(0, 2))
    assert plain_table(table).splitlines()[-1].split() == ["b"]
    assert read_csv(write_tables([table], "csv"))[-1] == ["0B", "b", "1"]


def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    table = Table(columns=("a", "b"), rows=(("=1+1", "+5.0%"),))
    assert read_csv(write_tables([table], "csv"))[1] == ["'=1+1", "+5.0%"]
