"""The stage of a round: its folder, the small file systems in it, the environment, and the sweep that runs there."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PQBED = (sys.executable, "-m", "pqbed_cli")
ROOM = "64m"
END_TIMEOUT_S = 300


@dataclass(slots=True, kw_only=True)
class Stage:
    """Folders of one round. `sweep` is the process that is struck; None between two."""

    folder: Path
    owner: str
    sweep: "subprocess.Popen[bytes] | None" = None
    codes: list[int] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def set_up(self) -> None:
        """Make the folders; as root, file systems of their own that can be filled."""
        for folder in (self.out, self.tmp, self.log):
            folder.mkdir(parents=True)
        if os.geteuid() == 0:
            for folder in (self.out, self.tmp):
                _run("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "torture", str(folder))

    def take_down(self) -> None:
        if os.geteuid() == 0:
            for folder in (self.out, self.tmp):
                subprocess.run(["umount", "--lazy", str(folder)], check=False)
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)

    @property
    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "TMPDIR": str(self.tmp), "PQBED_OWNER": self.owner}

    def run_of(self) -> Path | None:
        """Return the run, if one was made."""
        runs = sorted(path.parent for path in self.out.glob("2*/manifest.json"))
        return runs[-1] if runs else None

    def start(self, options: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start the sweep, or resume the run that is there."""
        run = self.run_of()
        what = ("--resume", str(run)) if run is not None else (*options, "--out", str(self.out))
        name = f"sweep-{len(self.codes)}"
        with (self.log / name).open("wb") as log:
            self.sweep = subprocess.Popen(
                [*PQBED, "sweep", *what],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.sweep

    def finish(self, sweep: "subprocess.Popen[bytes]") -> int:
        """Wait for the end of the sweep; return and note its exit code."""
        code = sweep.wait(END_TIMEOUT_S)
        self.codes.append(code)
        self.sweep = None
        return code

    def ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of pqbed."""
        return subprocess.run(
            [*PQBED, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=END_TIMEOUT_S,
            check=False,
        )

    def taken(self) -> int:
        """Return how many samples are in journals at this moment."""
        total = 0
        for path in self.out.glob("2*/journal/*.ndjson"):
            try:
                total += path.read_bytes().count(b"\n")
            except OSError:
                continue
        return total

    def wait_for(self, samples: int, seconds: float) -> None:
        """Return once so many samples are in the journals, so many seconds have passed, or the sweep has ended."""
        deadline = time.monotonic() + seconds
        while self.sweep is not None and self.sweep.poll() is None and time.monotonic() < deadline:
            if samples and self.taken() >= samples:
                return
            time.sleep(0.01)

    def last_words(self) -> str:
        """Return the end of what each sweep printed."""
        logs = sorted(self.log.iterdir(), key=lambda path: path.stat().st_mtime)
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-600:]}" for path in logs)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
