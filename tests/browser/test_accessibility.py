"""The pages of `pqbed serve` and the report, checked by axe-core: no serious fault, whatever the window and colours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pqbed.report.write_report import write_report
from pqbed.store.run_directory import open_run
from pqbed_cli.serve.run_states import Runs
from support.chromium import PHONE, Page, find_chromium
from support.node_packages import node_modules
from support.served import Served, serving, sweeping

pytestmark = pytest.mark.browser

FAULTS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => [one.id, one.impact, ...one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"""


@pytest.fixture(scope="module")
def axe() -> str:
    return (node_modules() / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "results").mkdir()
    with serving(folder) as server:
        with sweeping(folder, 8) as process:
            assert process.wait(120) == 0
        yield server


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this host: apt-get install chromium")
    with Page(program) as browser:
        yield browser


@pytest.mark.parametrize("width", [1280, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_no_page_has_a_serious_fault(page: Any, served: Served, axe: str, width: int, dark: bool) -> None:
    [name] = Runs(served.folder / "results").names()
    with open_run(served.folder / "results" / name) as run:
        report = write_report(run, figure_files=False).page
    found = {}
    for path in ("", f"runs/{name}", f"compare?a={name}&b={name}"):
        page.look(width=width, dark=dark)
        page.open(served.address + path)
        page.wait("document.readyState === 'complete'")
        found[path] = faults(page, axe)
    page.show(report, width=width, dark=dark)
    found["report"] = faults(page, axe)
    assert {path: some for path, some in found.items() if some} == {}


def test_a_fault_is_found(page: Any, axe: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><html lang=en><title>Bad</title><main><h1>Bad</h1><img src=data:,><button></button>")
    page.look()
    page.open(bad.as_uri())
    page.wait("document.readyState === 'complete'")
    assert {fault[0] for fault in faults(page, axe)} >= {"image-alt", "button-name"}


def faults(page: Any, axe: str) -> Any:
    """Return the serious and critical ones: what is wrong, how bad, and where."""
    page.run(axe + "; undefined")
    return page.run(FAULTS)
