import html.parser
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from pqbed.errors import StoreError
from pqbed.report.export import tabulate_run
from pqbed.report.methods import bibtex, describe_methods
from pqbed.report.page.cells_table import tabulate_cells
from pqbed.report.report_data import read_report_data
from pqbed.report.verdict_rows import VERDICTS_NAME, Verdict, read_verdicts, write_verdicts
from pqbed.report.write_report import REPORT_NAME, write_report
from pqbed.stats.block_bootstrap import DRAWS
from support.profiles import PQ
from support.reports import MakeRun, MeasuredOf
from support.sweeps import CLASSIC, forget_samples

VERDICT = Verdict(
    question="TTLB at <0> KiB", published="~33%", band="29 to 35%", ours="30.4%", standing="inside", why="as said"
)


class Outline(html.parser.HTMLParser):
    """What a page is made of: its tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[Any] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page_of(make_run: MakeRun) -> Callable[..., Any]:
    def make(verdicts: list[Verdict] | tuple[Any, ...] = (), **changes: Any) -> str:
        run = make_run(**changes)
        if verdicts:
            write_verdicts(run.path, verdicts)
        return write_report(run, figure_files=False).page.read_text()

    return make


def test_the_page_loads_nothing(page_of: Callable[..., Any]) -> None:
    page = page_of(samples=4)
    outline = Outline(page)
    assert not [attributes for _tag, attributes in outline.tags if "src" in attributes]
    assert [attributes["href"] for attributes in outline.all("link")] == ["data:,"]
    assert all(attributes["href"].startswith("#") for attributes in outline.all("a"))
    assert outline.all("meta")[1]["content"].startswith("default-src 'none'")


def test_every_table_has_a_caption_and_headers_and_every_figure_a_name(page_of: Callable[..., Any]) -> None:
    page = page_of([VERDICT], samples=4, bed={"fail_at": {1}}).partition("<script")[0]
    outline = Outline(page)
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert len(tables) == 4
    for table in tables:
        assert "<caption" in table
        assert 'scope="row"' in table
    identities = {attributes["id"] for _tag, attributes in outline.tags if "id" in attributes}
    named = [attributes["aria-labelledby"] for _tag, attributes in outline.tags if "aria-labelledby" in attributes]
    assert set(named) <= identities
    assert len(outline.all("figure")) == 6
    assert outline.all("html") == [{"lang": "en"}]


def test_the_page_opens_with_the_picture_for_a_slide_and_the_sentence_under_it(page_of: Callable[..., Any]) -> None:
    answer = page_of(samples=8).partition('id="answer"')[2].partition("</section>")[0]
    assert answer.index('<figure id="slide"') < answer.index('<p class="lead">')
    assert "pq against classic" in answer  # of the profile that costs most
    alone = page_of(samples=8, profiles=(CLASSIC, PQ))
    assert '<figure id="slide"' not in alone
    opening, _, below = alone.partition('id="figures"')
    assert '<figure id="increase-over-size"' in opening
    assert '<figure id="increase-over-size"' not in below  # not twice


def test_methods_say_what_the_run_was_made_with(make_run: MakeRun) -> None:
    run = make_run(samples=8, aa=True, bed={"fail_at": {3}})
    manifest, data = run.manifest, read_report_data(run)
    assert data is not None
    text = describe_methods(manifest, data)
    for words in (
        f"pqbed {manifest.pqbed}",
        f"of {8 * 16} HTTPS fetches",
        "8 in each of 16 cells",
        "pq (X25519MLKEM768",
        "0B and 50KiB",
        f"kernel {manifest.kernel}",
        f"seed {manifest.seed}",
        f"{DRAWS:,} draws",
        "two equal arms (classic)",
        "(1 were)",
    ):
        assert words in text
    assert describe_methods(manifest, replace(data, copy_of=None)).count("noise floor") == 0


def test_what_to_cite_is_bibtex(make_run: MakeRun) -> None:
    manifest = make_run(samples=1).manifest
    entries = re.findall(r"@(\w+)\{(\w+),\n((?:  \w+ += \{.*\},\n)+)\}", bibtex(manifest))
    assert [kind for kind, *_ in entries] == ["software", "inproceedings"]
    fields = [dict(re.findall(r"  (\w+) += \{(.*)\},", body)) for *_, body in entries]
    assert fields[0]["version"] == manifest.pqbed
    assert all(entry["author"] and entry["title"].count("{") == entry["title"].count("}") for entry in fields)


def test_headings_do_not_skip_a_level(page_of: Callable[..., Any]) -> None:
    levels = [int(tag[1]) for tag, _attributes in Outline(page_of(samples=4)).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_a_run_says_cannot_become_markup(make_run: MakeRun) -> None:
    run = make_run(samples=4)
    (run.path / "sweep.toml").write_text("name = '</pre><script>alert(1)</script>'\n")
    page = write_report(run, figure_files=False).page.read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert len(json.loads(data[1])["specs"]) == 11
    assert "<" not in data[1]


def test_verdicts_are_shown_where_the_run_holds_some(page_of: Callable[..., Any], make_run: MakeRun) -> None:
    assert "Verdicts" not in page_of(samples=4)
    page = page_of([VERDICT], samples=4)
    assert '<th scope="row">TTLB at &lt;0&gt; KiB</th>' in page
    assert '<span class="verdict inside">inside</span>' in page
    run = make_run(samples=4)
    assert read_verdicts(run.path) == ()
    (run.path / VERDICTS_NAME).write_text('[{"question": 1}]')
    with pytest.raises(StoreError, match="holds no verdicts"):
        read_verdicts(run.path)


def test_a_run_without_samples_has_a_page_too(make_run: MakeRun) -> None:
    run = make_run(samples=1)
    forget_samples(run.path)
    page = write_report(run, figure_files=False).page
    assert page.name == REPORT_NAME
    assert "There are no samples yet" in page.read_text()
    assert "vegaEmbed" not in page.read_text()


def test_tables_of_a_run_stand_alone(make_run: MakeRun) -> None:
    run = make_run(samples=4)
    samples = pl.concat(tabulate_run(run, "samples"))
    assert samples.height == 48
    assert samples["rtt_ns"].null_count() == 0
    assert pl.concat(tabulate_run(run, "cells")).height == 12
    assert pl.concat(tabulate_run(run, "summary")).height == 12
    assert pl.concat(tabulate_run(run, "percentiles", percentiles=(50.0, 99.0))).height == 24


def test_cells_show_the_tcp_of_the_client_and_drops_where_they_were_counted(make_run: MakeRun) -> None:
    run = make_run(samples=4)
    data = read_report_data(run)
    assert data is not None
    title, names = tabulate_cells(data).groups[-1]
    assert (title, names) == ("TCP of the client (p50 / p90)", ("retransmits", "lost", "cwnd"))
    assert tabulate_cells(data).rows[0][-3:] == ("0 / 0", "0 / 0", "10 / 10")
    counts = data.tcp_info.with_columns(
        retransmits_p90=pl.lit(2.6), queue_drops_p50=pl.lit(3.0), queue_drops_p90=pl.lit(7.25)
    )
    dropped = tabulate_cells(replace(data, tcp_info=counts))
    assert dropped.groups[-1][1][-1] == "queue drops"
    assert dropped.rows[0][-4:] == ("0 / 2.6", "0 / 0", "10 / 10", "3 / 7.2")
    uncounted = replace(data, tcp_info=data.tcp_info.clear())
    assert tabulate_cells(uncounted).groups[-1][0] == "Phases at p50 (ms)"


def test_cells_show_the_segments_of_a_hello_that_was_learned(make_run: MakeRun) -> None:
    data = read_report_data(make_run(samples=4))
    assert data is not None
    assert "ClientHello" not in [title for title, _ in tabulate_cells(data).groups]
    learned = data.cells.with_columns(client_hello_bytes=pl.lit(1_944), client_hello_segments=pl.lit(2))
    table = tabulate_cells(replace(data, cells=learned))
    assert table.groups[-2] == ("ClientHello", ("bytes", "segments"))
    assert table.rows[0][-5:-3] == ("1,944", "2")


def test_cells_show_what_they_are_held_against_and_their_phases(measured_of: MeasuredOf) -> None:
    measured = measured_of(samples=4)
    table = tabulate_cells(measured)
    assert table.columns == ("Link", "Size", "Profile", "Succeeded")
    names = [name for _, columns in table.groups for name in columns]
    assert names[3:5] == ["expected", "floor"]
    assert names[-7:-3] == ["connect", "TLS", "first byte", "transfer"]
    cells = {row["cell_id"]: row for row in measured.cells.to_dicts()}
    first = dict(zip((*table.columns, *names), table.rows[0], strict=True))
    row = next(iter(cells.values()))
    assert first["floor"] == f"{row['floor_ns'] / 1e6:,.1f}"
    assert first["expected"] == f"{row['expected_ns'] / 1e6:,.1f}"
    parts = [float(first[name].replace(",", "")) for name in names[-7:-3]]
    ttlb = measured.percentiles.filter(percentile="p50", cell_id=row["cell_id"])["value"][0]
    assert sum(parts) == pytest.approx(ttlb, abs=0.3)


def test_a_sample_below_the_floor_is_told_first(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'class="alarm"' not in write_report(make_run(samples=4), figure_files=False).page.read_text()
    monkeypatch.setattr("pqbed.beds.fake_bed.SPREAD", -0.05)
    page = write_report(make_run(samples=4), figure_files=False).page.read_text()
    answer = page.partition('<h2 id="answer-title">')[2].partition('class="lead"')[0]
    assert answer.count('<p class="alarm" role="alert">This run failed: ') == 5
    assert "The same holds for 7 more cells.</p>" in answer
    assert "The link was not what was asked, or the clock is wrong: do not use this run." in answer
