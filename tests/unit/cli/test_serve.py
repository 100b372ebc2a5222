"""`pqbed serve` asked without a browser: whom it answers, what it shows of runs, and what it starts and stops."""

import http.client
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.report.report_content import ReportContent
from pqbed.runner import run_sweep
from pqbed.spec.axes import AXES
from pqbed.spec.metric import Metric
from pqbed.store.run_directory import open_run
from pqbed.store.run_writer import find_writer
from pqbed_cli.serve import run_pages
from pqbed_cli.serve.run_states import Runs
from pqbed_cli.serve.sweep_form import sweep_arguments, sweep_groups
from support.served import Served, serving, sweeping, wait_for
from support.sweeps import new_run, small_plan

SMALL = {"bed": "fake", "rtt": "35", "bandwidth": "1", "size": "0,50", "samples": "8"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "results").mkdir()
    with serving(folder) as server:
        yield server


def run_of(served: Served, headers: Any) -> str:
    """Return the run that a start led to."""
    start = headers["location"].removeprefix(served.base)
    wait_for(lambda: "/runs/" in served.ask(start)[2])
    return str(served.ask(start)[2].split("/runs/")[1].split('"')[0])


def event(served: Served, run: str) -> Any:
    """Return the first event of a run."""
    connection = http.client.HTTPConnection(served.host, timeout=60)
    connection.request("GET", f"{served.base}runs/{run}/events")
    answer = connection.getresponse()
    line = answer.readline().decode()
    connection.close()
    assert answer.getheader("content-type").startswith("text/event-stream")
    return json.loads(line.removeprefix("data: "))


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 404),
        ("/wrong-token/", {}, 404),
        ("{base}", {"Host": "pqbed.example"}, 421),
        ("{base}../../etc/passwd", {}, 404),
        ("{base}runs/..%2F..%2Fetc", {}, 404),
        ("{base}runs/unknown", {}, 400),
        ("{base}", {}, 200),
    ],
)
def test_only_who_has_the_token_and_asks_by_our_address_is_answered(
    served: Served, path: str, headers: dict[str, str], status: int
) -> None:
    answered, got, _ = served.ask(path.format(base=served.base), headers=headers, whole=True)
    assert answered == status
    assert "connect-src 'self'" in got["content-security-policy"]
    assert got["referrer-policy"] == "same-origin"


def test_a_page_of_another_origin_changes_nothing(served: Served) -> None:
    for origin in ("http://pqbed.example", "null", ""):
        assert served.ask("sweeps", SMALL, headers={"Origin": origin})[0] == 403
    assert not list((served.folder / "results").iterdir())


def test_it_listens_on_loopback_alone(served: Served) -> None:
    port = int(served.host.rpartition(":")[2])
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    listening = {row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    assert listening == {f"0100007F:{port:04X}"}


def test_a_sweep_is_started_from_the_form_and_its_report_is_served(served: Served) -> None:
    status, headers, _ = served.ask("sweeps", SMALL)
    assert status == 303
    run = run_of(served, headers)
    wait_for(lambda: event(served, run)["state"] == "finished")
    assert event(served, run)["progress"] == "48 of 48 samples"
    page = served.ask(f"runs/{run}")[2]
    alone = served.ask(f"runs/{run}/report")[2]
    answer = page.split('<section id="answer"')[1].split("</section>")[0]
    assert answer == alone.split('<section id="answer"')[1].split("</section>")[0]
    assert "unsafe-inline" not in page.split("script-src")[1].split(";")[0]
    assert run in served.ask("")[2]


def test_a_wrong_value_is_refused_in_the_form_that_keeps_what_was_typed(served: Served) -> None:
    status, _, page = served.ask("sweeps", {**SMALL, "rtt": "35parsecs", "initcwnd": "20"})
    assert status == 422
    assert "35parsecs" in page.split('id="refused"')[1].split("</p>")[0]
    assert 'name="initcwnd" placeholder="10" value="20"' in page


def test_the_form_has_a_field_for_every_axis() -> None:
    names = [field.name for group in sweep_groups() for field in group.fields]
    assert set(AXES) <= set(names)
    assert len(set(names)) == len(names)
    assert sweep_arguments({"rtt": "35", "size": " "}, "out") == ["sweep", "--rtt=35", "--out=out"]


def test_a_sweep_that_another_process_started_is_seen_running_stopped_and_resumed(served: Served) -> None:
    before = {path.name for path in (served.folder / "results").iterdir()}
    with sweeping(served.folder, 20_000) as process:
        wait_for(lambda: {path.name for path in (served.folder / "results").glob("2*")} - before)
        [name] = {path.name for path in (served.folder / "results").glob("2*")} - before
        wait_for(lambda: event(served, name)["taken"] > 0)
        assert event(served, name)["state"] == "running"
        assert served.ask(f"runs/{name}/stop", {})[0] == 303
        assert process.wait(60) == 130
    stopped = event(served, name)
    assert stopped["state"] == "stopped"
    status, headers, _ = served.ask(f"runs/{name}/resume", {})
    assert status == 303
    assert run_of(served, headers) == name
    wait_for(lambda: event(served, name)["taken"] > stopped["taken"])
    assert served.ask(f"runs/{name}/stop", {})[0] == 303
    wait_for(lambda: event(served, name)["state"] == "stopped")
    assert served.ask(f"runs/{name}/stop", {})[0] == 400


def test_a_run_is_written_by_the_process_that_holds_it_and_killed_without_one(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert find_writer(run.path) == os.getpid()
    run_sweep(small_plan(), FakeBed(), run, lanes=1)
    run.close()
    assert find_writer(run.path) is None
    with sweeping(tmp_path, 20_000) as process:
        runs = Runs(tmp_path / "results")
        wait_for(lambda: any(state.taken for state in runs.states()))
        [name] = runs.names()
        assert find_writer(tmp_path / "results" / name) == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
    state = runs.state(name)
    assert (state.state, state.resumable) == ("killed", True)
    assert state.taken == len(open_run(tmp_path / "results" / name).finished())


def test_a_damaged_run_is_said_to_be_one_and_hides_no_other(tmp_path: Path) -> None:
    good = new_run(tmp_path)
    good.close()
    (tmp_path / "20200101T000000Z-bad").mkdir()
    (tmp_path / "20200101T000000Z-bad" / "manifest.json").write_text("{")
    states = {state.name: state for state in Runs(tmp_path).states()}
    assert states["20200101T000000Z-bad"].state == "damaged"
    assert "not JSON" in states["20200101T000000Z-bad"].trouble
    assert states[good.path.name].state == "killed"


def test_few_reports_are_kept_and_one_that_did_not_change_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        with new_run(tmp_path) as run:
            run_sweep(small_plan(samples=2), FakeBed(), run, lanes=1)
    monkeypatch.setattr(run_pages, "MOST_KEPT", 1)
    pages, read = run_pages.RunPages(Runs(tmp_path), "/x/"), []
    read_content = pages._read

    def reading(name: str, metric: Metric) -> ReportContent:
        read.append(name)
        return read_content(name, metric)

    monkeypatch.setattr(pages, "_read", reading)
    first, second = Runs(tmp_path).names()
    for name in (first, first, second, second, first):
        pages.report(name, None)
    assert read == [first, second, first]
