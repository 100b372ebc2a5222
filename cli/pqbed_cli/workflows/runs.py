"""Name a run on the command line: a path, or `latest`."""

import os
import webbrowser
from pathlib import Path

from pqbed.errors import SpecError, StoreError
from pqbed.store.manifest import MANIFEST_NAME
from pqbed_cli.render.output import say

LATEST = "latest"


def find_run(text: str, out: str) -> Path:
    """Return the folder of the run; `latest` is the newest in `out`. The store checks that it is one."""
    if text != LATEST:
        return Path(text)
    # A run's name begins with its time.
    runs = sorted(path.parent for path in Path(out).glob(f"*/{MANIFEST_NAME}"))
    if not runs:
        raise SpecError(f"there is no run in {out}/ yet", "make one with `pqbed sweep`, or name the folder of a run")
    return runs[-1]


def refuse_unwritable(out: str) -> None:
    """Raise StoreError where no run could be made in `out`: told before anything is built or measured."""
    folder = Path(out).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    hint = "name a folder that you may write to with --out"
    if not there.is_dir():
        raise StoreError(f"{out} cannot hold runs: {there} is not a folder", hint)
    if not os.access(there, os.W_OK | os.X_OK):
        raise StoreError(f"{out} cannot hold runs: {there} may not be written", hint)


def show_page(page: Path) -> None:
    """Open `page` in the user's browser; where there is none, say what to do."""
    address = page.resolve().as_uri()
    if not webbrowser.open(address):
        say(f"no browser was found; open {address}")
