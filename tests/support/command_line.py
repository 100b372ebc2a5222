"""Sweeps typed on the command line, on a fake bed that behaves as told, and one that is interrupted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds import make_bed as make
from pqbed.beds.fake_bed import FakeBed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Pqbed = Callable[..., Ended]

SMALL = ("--bed", "fake", "--rtt", "35,200", "--bandwidth", "1", "--loss", "0,1", "--size", "0,200")


def only_run(folder: Path) -> Path:
    (path,) = (folder / "results").iterdir()
    return path


def fake_that(monkeypatch: pytest.MonkeyPatch, **behaviour: Any) -> None:
    """Let --bed fake behave so."""
    monkeypatch.setitem(make.MAKERS, "fake", lambda clock, *_: FakeBed(clock=clock, **behaviour))


SLOW = """
import sys
from pqbed.beds import make_bed
from pqbed.beds.fake_bed import FakeBed
from pqbed_cli.main import run
make_bed.MAKERS["fake"] = lambda clock, *_: FakeBed(clock=clock, sleep_s=0.02)
sys.exit(run(sys.argv[1:]))
"""


def interrupt_a_slow_sweep(
    folder: Path, how: signal.Signals = signal.SIGINT, typed: tuple[str, ...] = (*SMALL, "--samples", "50")
) -> tuple[int, str, str]:
    command = [sys.executable, "-c", SLOW, "sweep", *typed, "--lanes", "2"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not any(path.stat().st_size for path in folder.glob("results/*/journal/*.ndjson")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, how)
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err
