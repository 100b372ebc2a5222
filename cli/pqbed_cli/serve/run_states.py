"""What the runs of a folder are: what each measures, how far it is, and whether a process is writing it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pqbed.errors import PqbedError
from pqbed.report.run_facts import STUDY_FILE, SWEEP_FILE
from pqbed.reproduce.stored_plan import is_study, read_study, stored_plan
from pqbed.spec.sweep_toml import read_run_sweep
from pqbed.store.manifest import MANIFEST_NAME, read_manifest
from pqbed.store.run_directory import Run, open_run
from pqbed.store.run_writer import find_writer
from pqbed_cli.render.plan_table import plan_table

# `stopped`: ended before its plan was; `killed`: without a word, as by a kill or a power cut.
State = Literal["running", "finished", "stopped", "killed", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """`planned` is at most what a sweep with a precision takes. `measures`: axis -> values. `trouble`: why damaged."""

    name: str
    state: State
    started: str = ""
    bed: str = ""
    taken: int = 0
    planned: int = 0
    most: bool = False
    measures: Mapping[str, str] | None = None
    trouble: str = ""

    @property
    def progress(self) -> str:
        """Return how far it is: `480 of 1,200 samples`."""
        most = "at most " if self.most and self.state == "running" else ""
        return f"{self.taken:,} of {most}{self.planned:,} samples"

    @property
    def resumable(self) -> bool:
        return self.state in ("stopped", "killed")

    def to_event(self) -> dict[str, Any]:
        return {**asdict(self), "progress": self.progress, "measures": None}


class Runs:
    """The runs of one folder. Reading disturbs no process that writes one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, Run] = {}
        self._ended: dict[str, tuple[int, RunState]] = {}

    def names(self) -> list[str]:
        """Return the names, the newest first: they begin with the time."""
        return sorted((path.parent.name for path in self.folder.glob(f"[!.]*/{MANIFEST_NAME}")), reverse=True)

    def states(self) -> Sequence[RunState]:
        return [self.state(name) for name in self.names()]

    def state(self, name: str) -> RunState:
        """Return what the run `name` is now; what cannot be read is said to be damaged, and why."""
        try:
            return self._state(name)
        except PqbedError as error:
            return RunState(name=name, state="damaged", trouble=f"{error.message}; {error.hint}")

    def open(self, name: str) -> Run:
        """Return the run, opened once: what was checked of it is not checked again. Raises StoreError."""
        if name not in self._open:
            self._open[name] = open_run(self.folder / name)
        return self._open[name]

    def _state(self, name: str) -> RunState:
        path = self.folder / name
        written = (path / MANIFEST_NAME).stat().st_mtime_ns
        if name in self._ended and self._ended[name][0] == written:
            return self._ended[name][1]
        writer = find_writer(path)  # before the manifest: a run that ends between the two is finished
        manifest = read_manifest(path)
        taken = int(self.open(name).samples().select(pl.len()).collect().item())
        planned, most, measures = _plan(path, (path / _plan_file(path)).stat().st_mtime_ns)
        state: State = "running" if writer is not None else "killed"
        if writer is None and manifest.state is not None:
            state = "finished" if manifest.state == "finished" else "stopped"
        found = RunState(
            name=name,
            state=state,
            started=manifest.started,
            bed=f"{manifest.bed}, {manifest.clock} clock",
            taken=taken,
            planned=taken if most and state == "finished" else planned,
            most=most,
            measures=measures,
        )
        if state == "finished":
            self._ended[name] = written, found
        return found


def _plan_file(path: Path) -> str:
    return STUDY_FILE if is_study(path) else SWEEP_FILE


@lru_cache(maxsize=1024)
def _plan(path: Path, _modified: int) -> tuple[int, bool, Mapping[str, str]]:
    """Return how many samples are planned, whether that is the most, and what is measured. A plan is fixed."""
    plan = stored_plan(path)
    if is_study(path):
        return plan.fetch_count, False, {"study": read_study(path).study.title}
    sweep, _ = read_run_sweep(path / SWEEP_FILE)
    measures = {name.strip(): values for name, _, values in plan_table(sweep).rows if name != "A/A arm"}
    return plan.fetch_count, sweep.precision_ppm is not None, measures
