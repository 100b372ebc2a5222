"""The agent's source, as a folder of modules to put where a guest or an image imports it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pqbed.beds.artefacts.cache import hash_inputs
from pqbed.beds.artefacts.recipes import PACKAGE

# What runs inside images and guests, and no more: these import the standard library, pyroute2 and pycurl.
MODULES = ("__init__.py", "errors.py", "units.py")
FOLDERS = ("spec", "net", "tls", "fetch", "calibrate", "agent")
# These read what users write, with libraries that images lack, or judge what came out of an image.
USER_SIDE = frozenset(
    {
        *(Path("spec", name) for name in ("text.py", "study_text.py")),
        *(Path("calibrate", name) for name in ("judge.py", "spread.py", "binomial.py", "tolerances.py")),
    }
)


def agent_files() -> Iterator[Path]:
    """The agent's modules, relative to the package."""
    yield from map(Path, MODULES)
    for folder in FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            name = path.relative_to(PACKAGE)
            if name not in USER_SIDE:
                yield name


def source_hash() -> str:
    """Hash the agent's modules and their names."""
    return hash_inputs(*(part for name in agent_files() for part in (name.as_posix(), PACKAGE / name)))


def copy_source(target: Path) -> None:
    """Copy the agent's modules into the folder `target`, which becomes a package."""
    for name in agent_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, target / name)


def put_source(root: Path) -> Path:
    """Put the package under `<root>/opt/pqbed/<hash>` and return that folder: the guest's PYTHONPATH.

    It appears there whole or not at all, and a folder that is there is never changed.
    """
    folder = root / "opt/pqbed" / source_hash()
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".source-", dir=folder.parent))
    try:
        copy_source(partial / "pqbed")
        partial.chmod(0o755)
        partial.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another process was first, with the same contents
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
