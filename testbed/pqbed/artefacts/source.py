"""Source of the agent: a folder of modules for guests and images to import."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pqbed.artefacts.cache import hash_inputs
from pqbed.artefacts.image_sources import PACKAGE, stack_entries
from pqbed.spec.published import TABLES, published_folder
from pqbed.spec.stacks import ENTRY
from pqbed.tls.algorithms import GROUPS_NAME, SIGNATURES_NAME

# Only what runs inside images and guests: these import the standard library, pyroute2 and pycurl.
MODULES = ("__init__.py", "errors.py", "units.py")
FOLDERS = ("spec", "net", "tls", "fetch", "calibrate", "agent")
# These parse user input with libraries that images lack, or judge results on the host.
USER_SIDE = frozenset(
    {
        *(Path("spec", name) for name in ("text.py", "sweep_form.py", "study_text.py")),
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


def tables() -> list[Path]:
    """Return the tables that the agent reads."""
    return [published_folder() / f"{name}.csv" for name in (GROUPS_NAME, SIGNATURES_NAME)]


def source_hash() -> str:
    """Hash the agent's modules and their names, its tables and the entries of the stacks."""
    modules = (part for name in agent_files() for part in (name.as_posix(), PACKAGE / name))
    entries = (part for stack, entry in stack_entries().items() for part in (stack, entry))
    return hash_inputs(*modules, *tables(), *entries)


def copy_source(target: Path) -> None:
    """Copy the agent's modules and tables into the folder `target`, which becomes a package."""
    for name in agent_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, target / name)
    for stack, entry in stack_entries().items():
        (target / "_stacks" / stack).mkdir(parents=True)
        shutil.copyfile(entry, target / "_stacks" / stack / ENTRY)
    (target / TABLES).mkdir()
    for path in tables():
        shutil.copyfile(path, target / TABLES / path.name)


def put_source(root: Path) -> Path:
    """Put the package under `<root>/opt/pqbed/<hash>` and return that folder: the guest's PYTHONPATH.

    It appears there atomically, and an existing folder is never changed.
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
