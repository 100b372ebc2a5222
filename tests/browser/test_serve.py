"""`pqbed serve` in headless Chromium: a sweep started by keyboard, watched to its end, compared; a killed server."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.report.write_report import write_report
from pqbed.store.run_directory import open_run
from pqbed_cli.serve.run_states import Runs
from support.chromium import PHONE, Page, find_chromium
from support.served import Served, serving, sweeping, wait_for

pytestmark = pytest.mark.browser

MARKS = ".mark-line path, .mark-rect path, .mark-symbol path, .mark-area path"
# A busy host takes minutes for a sweep that is long enough to be watched on an idle one.
SWEEP_S = 400
TYPED = {"rtt": "35", "bandwidth": "1", "size": "0,50"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "results").mkdir()
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def page(served: Served) -> Iterator[Any]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this host: apt-get install chromium")
    with Page(program) as browser:
        browser.look()
        yield browser
        asked = [address for address in browser.requests if not address.startswith(("data:", "about:", "blob:"))]
        assert [address for address in asked if not address.startswith(served.address)] == []
        assert browser.complaints == []


def go(page: Any, address: str) -> None:
    page.open(address)
    page.wait("document.readyState === 'complete'")


def start(page: Any, served: Served, **fields: str) -> str:
    """Fill in the form and send it, by keyboard; return the run that the page then shows."""
    go(page, served.address)
    for name, text in fields.items():
        page.run(f"document.getElementById('f-{name}').focus()")
        page.type(text)
    page.press("Enter")
    page.wait("location.pathname.includes('/runs/')")
    return str(page.run("location.pathname.split('/').pop()"))


def state(page: Any) -> str:
    return str(page.run("document.querySelector('[data-live=state]').textContent"))


def drawn_data(page: Any) -> str:
    return str(page.run("document.getElementById('data').textContent"))


def words(page: Any, section: str) -> str:
    return str(page.run(f"document.getElementById('{section}').innerText"))


def test_a_sweep_is_started_watched_to_its_end_and_compared(page: Any, served: Served) -> None:
    first = start(page, served, **TYPED, bed="fake", samples="10000")
    page.wait("document.body.dataset.drawn === 'yes' && document.querySelector('#increase-over-size svg')")
    assert state(page) == "running"
    first_data = drawn_data(page)
    page.wait(f"document.getElementById('data').textContent !== {json.dumps(first_data)}")
    assert state(page) == "running"  # the figures fill while it runs
    page.wait("document.body.dataset.shown?.startsWith('finished')", SWEEP_S)
    with open_run(served.folder / "results" / first) as run:
        report = write_report(run, figure_files=False).page
    live, figures = words(page, "answer"), page.run(f"document.querySelectorAll({MARKS!r}).length")
    page.show(report)
    assert words(page, "answer") == live
    assert page.run(f"document.querySelectorAll({MARKS!r}).length") == figures
    page.requests.clear()  # that of the file
    second = start(page, served, **TYPED, bed="fake", samples="40", seed="2")
    page.wait("document.body.dataset.shown?.startsWith('finished')")
    go(page, served.address)
    for place, name in (("a", first), ("b", second)):
        page.run(f"document.getElementById('{place}-{name}').focus()")
        page.press("Space")
    page.run("document.querySelector('#pair button').focus()")
    page.press("Enter")
    page.wait("document.body.dataset.drawn === 'yes'")
    assert "within noise" in words(page, "comparison") or "equivalent" in words(page, "comparison")
    sides = page.run("[...document.querySelectorAll('.sides figure')].map(one => one.getBoundingClientRect().left)")
    assert len(sides) == 2 * len(
        set(page.run("[...document.querySelectorAll('.sides figure h3')].map(e => e.innerText)"))
    )
    assert len(set(sides)) == 2


def test_a_killed_server_loses_nothing_of_the_run(page: Any, served: Served) -> None:
    name = start(page, served, **TYPED, bed="fake", samples="3000")
    page.wait("document.querySelector('[data-live=bar]').value > 0")
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    page.wait("!document.querySelector('[data-live=lost]').hidden")
    runs = Runs(served.folder / "results")
    wait_for(lambda: runs.state(name).state == "finished")
    with open_run(served.folder / "results" / name) as run:
        assert run.samples().select(pl.len()).collect().item() == 3000 * 2 * 3
    page.complaints.clear()  # of the connection that was refused
    page.requests.clear()
    with serving(served.folder) as again:
        go(page, again.address)
        assert page.run("document.querySelector('.state').textContent") == "finished"
        page.run("window.stop()")
    page.requests.clear()
    page.complaints.clear()


def test_a_sweep_of_another_process_fills_the_list_and_is_stopped_from_it(page: Any, served: Served) -> None:
    go(page, served.address)
    page.wait("document.body.dataset.live")
    with sweeping(served.folder, 30_000) as process:
        page.wait("document.querySelector('progress')?.value > 0")
        before = page.run("document.querySelector('progress').value")
        page.wait(f"document.querySelector('progress').value > {before}")
        page.run("document.querySelector('button[id^=stop]').click()")
        page.wait("document.querySelector('[data-live=state]')?.textContent === 'stopped'")
        assert process.wait(60) == 130


@pytest.mark.parametrize("width", [1280, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_fit_the_window_and_every_control_has_a_name(page: Any, served: Served, width: int, dark: bool) -> None:
    with sweeping(served.folder, 8) as process:
        assert process.wait(120) == 0
    [name] = Runs(served.folder / "results").names()
    page.look(width=width, dark=dark)
    for path in ("", f"runs/{name}", f"compare?a={name}&b={name}"):
        go(page, served.address + path)
        assert page.run("document.documentElement.scrollWidth <= window.innerWidth + 1"), path
        nameless = """[...document.querySelectorAll('a, button, input, select, summary, progress')].filter(one =>
            !(one.innerText || one.textContent || one.getAttribute('aria-label') || one.labels?.[0]?.textContent)
        ).map(one => one.outerHTML)"""
        assert page.run(nameless) == []
