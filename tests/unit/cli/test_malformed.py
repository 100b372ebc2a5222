"""Malformed input ends in one sentence and the right exit code, whatever it is; nothing is left behind.

PQBED_FUZZ_CASES sets how many sweep files are made up (1000 by hand, few in `make unit`).
"""

import contextlib
import os
import pty
import signal
import string
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqbed.errors import SpecError, StoreError
from pqbed.spec.axes import AXES
from pqbed.spec.sweep_toml import read_spec, sweep_from
from pqbed.store.run_directory import open_run
from pqbed_cli.exits import INTERRUPTED
from pqbed_cli.main import MOST_PRINTED, _as_interrupt
from support.command_line import Pqbed
from support.sweeps import new_run, sample

CASES = int(os.environ.get("PQBED_FUZZ_CASES", "60"))
LONG, DIGITS = "9" * 6000, f"0x{'f' * 5000}"
KEYS = [*AXES, "seed", "samples", "profile", "run.out", "run.lanes", "profiles.x.group", "name", "timeout", "x"]
VALUES = st.one_of(
    st.sampled_from(
        [LONG, f"0x{'f' * 5000}", f'"{LONG}"', "[" * 400 + "]" * 400, '"a\\u0000b"', "{a={a=1}}", "-1", "nan"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(string.printable, max_size=40).map(lambda text: f"'''{text}'''"),
    st.text(max_size=20),
)


@given(st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=4))
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_made_up_sweep_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    spec = tmp_path_factory.mktemp("spec") / "s.toml"
    spec.write_text("\n".join(f"{key} = {value}" for key, value in pairs), encoding="utf-8", errors="replace")
    with contextlib.suppress(SpecError):
        sweep_from(read_spec(spec))


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_ends_as_ctrl_c_does_and_nohup_is_obeyed(number: Any) -> None:
    with pytest.raises(KeyboardInterrupt), _as_interrupt(number):
        signal.raise_signal(number)
    before = signal.signal(number, signal.SIG_IGN)
    try:
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
