"""Runs named on the command line: a path, or `latest`; and the folder they are in."""

import os
from pathlib import Path

from pqbed.errors import SpecError, StoreError
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.run_options import RunOptions
from pqbed.spec.value_parsers import naming
from pqbed.store.manifest import MANIFEST_NAME
from pqbed.store.run_directory import Run

LATEST = "latest"


def find_run(text: str, out: str | None) -> Path:
    """Return the folder of the run; `latest` is the newest in `out`. The store checks what is in it."""
    folder = RunOptions().out if out is None else out
    if text != LATEST:
        if not Path(text).exists():
            raise SpecError(f"there is no run at {text}", f"name the folder of a run, or {LATEST}")
        return Path(text)
    # A run's name begins with its time.
    runs = sorted(path.parent for path in Path(folder).glob(f"*/{MANIFEST_NAME}"))
    if not runs:
        raise SpecError(
            f"there is no run in {folder}/ yet", "start one with `pqbed sweep`, or name the folder of a run"
        )
    return runs[-1]


def read_baseline(run: Run, name: str | None) -> str | None:
    """Return `name` if a cell of `run` has that profile. Raises SpecError."""
    profiles = dict.fromkeys(run.cells().collect()["profile"]) if name is not None else {}
    if name is not None and profiles:  # without cells whoever needs them says so
        with naming("--baseline"):
            known_name(name, profiles, "profile in this run")
    return name


def refuse_unwritable(out: str) -> None:
    """Raise StoreError if no run could be made in `out`: before anything is built or measured."""
    folder = Path(out).absolute()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    hint = "name a writable folder with --out"
    if not parent.is_dir():
        raise StoreError(f"{out} cannot hold runs: {parent} is not a folder", hint)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise StoreError(f"{out} cannot hold runs: {parent} is not writable", hint)
