"""Source of the agent: a folder of modules for guests and images to import."""

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from pqbed.artefacts.build_steps import OnStep, no_progress
from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.artefacts.folder_integrity import find_damage, seal
from pqbed.artefacts.image_sources import PACKAGE, stack_entries
from pqbed.artefacts.root_programs import compile_modules
from pqbed.spec.published_tables import TABLES, published_folder
from pqbed.spec.stacks import ENTRY
from pqbed.tls.published_algorithms import GROUPS_NAME, SIGNATURES_NAME

# In a root: a folder for each source, by its hash.
SOURCES = "opt/pqbed/agent"
# Only what runs inside images and guests: these import the standard library, pyroute2 and pycurl.
MODULES = ("__init__.py", "errors.py", "units.py", "user_folders.py")
FOLDERS = ("spec", "net", "tls", "fetch", "calibrate", "agent")
# These parse user input with libraries that images lack, or judge results on the host.
USER_SIDE = frozenset(
    {
        *(Path("spec", name) for name in ("sweep_toml.py", "sweep_form.py", "study_toml.py")),
        *(Path("calibrate", name) for name in ("deviations.py", "delay_spread.py", "binomial.py", "tolerances.py")),
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


def source_hash(stacks: Collection[str] | None = None) -> str:
    """Hash the agent's modules and their names, its tables, and the entries of `stacks` (None: of all)."""
    modules = (part for name in agent_files() for part in (name.as_posix(), PACKAGE / name))
    entries = (part for stack, entry in _entries(stacks).items() for part in (stack, entry))
    return hash_inputs(*modules, *tables(), *entries)


def copy_source(target: Path, stacks: Collection[str] | None = None) -> None:
    """Copy the agent's modules, tables and the entries of `stacks` (None: of all) into the folder `target`.

    It becomes a package.
    """
    for name in agent_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, target / name)
    for stack, entry in _entries(stacks).items():
        (target / "_stacks" / stack).mkdir(parents=True)
        shutil.copyfile(entry, target / "_stacks" / stack / ENTRY)
    (target / TABLES).mkdir()
    for path in tables():
        shutil.copyfile(path, target / TABLES / path.name)


def _entries(stacks: Collection[str] | None) -> dict[str, Path]:
    return {name: entry for name, entry in stack_entries().items() if stacks is None or name in stacks}


def source_folder(root: Path) -> Path:
    """Return where the current source is put in `root`."""
    return root / SOURCES / source_hash()


def put_source(
    root: Path,
    compile_folder: Callable[[Path, Path, str], object] = compile_modules,
    on_step: OnStep = no_progress,
) -> Path:
    """Put the package under `<root>/opt/pqbed/agent/<hash>` and return that folder: the guest's PYTHONPATH.

    It appears there atomically, compiled by the root's own Python (lanes cannot write to the root), and a folder that
    is as it was made is never changed.
    """
    folder = source_folder(root)
    damage = find_damage(folder)
    if not damage:
        return folder
    if folder.exists():
        on_step(f"the agent's source in the cache is damaged, putting it there again: {damage}", None)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".source-", dir=folder.parent))
    try:
        copy_source(partial / "pqbed")
        partial.chmod(0o755)
        compile_folder(root, partial, f"/{folder.relative_to(root)}")
        seal(partial)
        shutil.rmtree(folder, ignore_errors=True)  # damaged, if it is there
        partial.rename(folder)
    except OSError:
        if find_damage(folder):  # otherwise another process was first, with the same contents
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
