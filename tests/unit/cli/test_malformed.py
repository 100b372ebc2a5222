"""Malformed input ends in one sentence and the right exit code, whatever it is; nothing is left behind.

Made-up input is in test_fuzz.py.
"""

import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pqbed.address_space import GIB
from pqbed.beds import make_bed
from pqbed.beds.fake_bed import FakeBed
from pqbed.errors import StoreError
from pqbed.store.run_directory import open_run
from pqbed_cli.exits import HOST_UNFIT, INTERRUPTED
from pqbed_cli.main import MOST_PRINTED, _as_interrupt
from support.command_line import SMALL, Pqbed, only_run
from support.sweeps import new_run, sample


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000,
        "x = " + "{a=" * 5000,
        ".".join("a" * 50_000) + " = 1",
        f"seed = 0x{'f' * 5000}",
        "#" * 2**21,
    ],
    ids=["brackets", "tables", "dotted key", "digits", "large"],
)
def test_a_sweep_file_that_no_one_wrote(pqbed: Pqbed, tmp_path: Path, text: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    ended = pqbed("plan", "--bed", "fake", "--spec", str(tmp_path / "s.toml"))
    assert ended.code == 2
    assert max(map(len, ended.err.splitlines())) < MOST_PRINTED + 100


def test_a_sweep_file_that_is_no_file(pqbed: Pqbed, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/zero", tmp_path):
        ended = pqbed("plan", "--bed", "fake", "--spec", str(path))
        assert ended.code == 2
        assert "not a regular file" in ended.err


@pytest.mark.parametrize("command", ["show", "report", "explain", "verify"])
@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"])
def test_a_path_that_cannot_be(pqbed: Pqbed, command: Any, path: Any) -> None:
    ended = pqbed(command, path)
    assert ended.code == 2
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("out", ["x" * 300, "a\0b"])
def test_an_out_that_cannot_be(pqbed: Pqbed, out: Any) -> None:
    ended = pqbed("sweep", "--bed", "fake", "--samples", "1", "--out", out)
    assert ended.code in {2, 3}
    assert "Traceback" not in ended.err


def test_a_long_value_is_cut_where_it_is_quoted(pqbed: Pqbed) -> None:
    ended = pqbed("plan", "--bed", "fake", "--profile", "y" * 200_000)
    assert ended.code == 2
    assert len(ended.err) < 3 * MOST_PRINTED


def test_a_manifest_of_brackets(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        (run.path / "manifest.json").write_text("[" * 100_000)
        with pytest.raises(StoreError, match="not JSON"):
            open_run(run.path)


def test_a_journal_that_was_removed_is_noticed_with_the_next_sample(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        journal = run.journal(0)
        journal.append(sample(0))
        journal.path.unlink()
        with pytest.raises(StoreError, match="was removed"):
            journal.append(sample(1))


@pytest.mark.parametrize("removed", ["results", "results/*/journal"])
def test_an_out_that_is_removed_in_mid_sweep_ends_it_in_a_sentence(
    pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: str
) -> None:
    bed = FakeBed()
    count = bed.count_fetch

    def count_and_remove() -> int:
        if (number := count()) == 10:
            (folder,) = tmp_path.glob(removed)
            folder.rename(tmp_path / "gone")
        return number

    monkeypatch.setattr(bed, "count_fetch", count_and_remove)
    monkeypatch.setitem(make_bed.MAKERS, "fake", lambda *_: bed)
    ended = pqbed("sweep", *SMALL, "--samples", "20", "--lanes", "1")
    assert ended.code == HOST_UNFIT
    assert "Traceback" not in ended.err
    # Either the lane misses its journal first, or another thread the manifest.
    message, hint = ended.err.splitlines()[-2:]
    assert re.search(r" was removed while |: No such file or directory$| it has no manifest.json$", message)
    assert re.match("pqbed: .*results/", message)
    assert hint.startswith("  hint: ")
    assert bed.count_fetch() < 20
    if removed == "results":
        assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("gib", "arguments"), [(0.5, ("show",)), (3, ("report",))])
def test_too_little_address_space_is_said_before_a_library_aborts(
    pqbed: Pqbed, tmp_path: Path, gib: float, arguments: tuple[str, ...]
) -> None:
    assert pqbed("sweep", "--bed", "fake", "--rtt", "35", "--size", "0", "--samples", "1").code == 0
    most = int(gib * GIB)
    ended = subprocess.run(
        [sys.executable, "-m", "pqbed_cli", *arguments, str(only_run(tmp_path))],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == HOST_UNFIT
    first, hint = ended.stderr.splitlines()
    assert first.startswith(f"pqbed: the address space of this process is limited to {gib:.1f} GiB")
    assert "ulimit -v" in hint


def test_running_out_of_memory_is_a_sentence(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pqbed_cli.workflows.show.show", full)
    ended = pqbed("show", "latest")
    assert ended.code == HOST_UNFIT
    assert ended.err.startswith("pqbed: memory ran out")


def test_a_name_with_line_breaks_and_escapes_is_quoted_on_one_line(pqbed: Pqbed) -> None:
    ended = pqbed("show", "a\nb\x1b[31m")
    assert ended.err.splitlines()[0] == r"pqbed: there is no run at a\nb\x1b[31m"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_ends_as_ctrl_c_does_and_nohup_is_obeyed(number: Any) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # this process may itself run under nohup
    try:
        with pytest.raises(KeyboardInterrupt), _as_interrupt(number):
            signal.raise_signal(number)
        signal.signal(number, signal.SIG_IGN)
        with _as_interrupt(number):
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)


def test_a_closed_terminal_is_an_interruption_and_what_was_measured_is_kept(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    many = ("--rtt", ",".join(map(str, range(1, 40))), "--size", "0,1,2,3,4,5", "--samples", "200")
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--bed", "fake", *many, "--out", str(tmp_path)]
    # The first process of a session; its terminal is the one that it opens.
    start = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    start += "os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
    sweep = subprocess.Popen(
        [sys.executable, "-c", start, *command], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in tmp_path.glob("*/journal/*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.close(ours)
    assert sweep.wait(60) == INTERRUPTED
    (path,) = tmp_path.iterdir()
    assert list((path / "journal").iterdir()) == []
    with open_run(path) as run:
        assert run.manifest.state == "interrupted"
        assert run.finished()
