"""Programs of a root file system, run on the host by the root's own loader and libraries: no privilege is needed."""

import os
from pathlib import Path

from pqbed.artefacts.build_steps import Command, no_progress, run_commands
from pqbed.errors import BuildError

LOADERS = "lib*/ld-linux-*.so.*"
LIBRARIES = "usr/lib/*-linux-gnu"


def compile_modules(root: Path, folder: Path, shown: str) -> None:
    """Compile the modules below `folder`, which lanes see as `shown`, by the Python of `root`. Raises BuildError."""
    loader, libraries = _only(root, LOADERS), _only(root, LIBRARIES)
    argv = [str(loader), "--library-path", str(libraries), str(root / "usr/bin/python3"), "-S", "-m", "compileall"]
    argv += ["-q", "-s", str(folder), "-p", shown, str(folder)]
    environment = {"PYTHONHOME": str(root / "usr"), "PATH": os.defpath}
    run_commands([Command(name="compiling", argv=argv, env=environment)], no_progress)


def _only(root: Path, pattern: str) -> Path:
    path = next(iter(sorted(root.glob(pattern))), None)
    if path is None:
        raise BuildError(f"the root file system {root} is damaged: it has no {pattern}")
    return path
