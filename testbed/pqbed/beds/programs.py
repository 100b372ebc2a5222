"""Programs of a stack on this host's own CPUs: from its root file system, or in a container of its image.

Without network, lane or shaping: for asking a stack which algorithms it has and what they cost.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pqbed.beds.host_checks import built_artefacts, probe_engine
from pqbed.errors import HostError, LaneError
from pqbed.user_folders import cache_home

if TYPE_CHECKING:
    from pqbed.beds.docker.engine import Engine

# Takes a command and how long it may take in seconds; returns its output. Raises HostError.
RunProgram = Callable[[Sequence[str], float], str]

LOADERS = "lib*/ld-linux-*.so.*"
LIBRARIES = "usr/lib/*-linux-gnu"
IMAGES = "pqbed/openssl:"


def find_programs() -> RunProgram | None:
    """Return what runs programs of the stack; None if neither its root nor its image has been built."""
    roots = built_artefacts("roots")
    if roots:
        return programs_of_root(cache_home() / "roots" / roots[-1])
    if probe_engine().info is None:
        return None
    from pqbed.beds.docker.sdk import connect  # noqa: PLC0415 - docker only where an engine answers

    engine = connect()
    images = engine.images(IMAGES)
    return programs_of_image(engine, images[-1]) if images else None


def programs_of_root(root: Path) -> RunProgram:
    """Return what runs programs of `root` by its own loader and libraries: no privilege is needed for that."""
    loader = str(_only(root, LOADERS))
    libraries = _only(root, LIBRARIES)
    environment = {
        "PATH": os.defpath,
        "OPENSSL_CONF": str(root / "etc/ssl/openssl.cnf"),
        "OPENSSL_MODULES": str(libraries / "ossl-modules"),
    }

    def run(argv: Sequence[str], timeout_s: float) -> str:
        program, *arguments = argv
        command = [loader, "--library-path", str(libraries), str(root / "usr/bin" / program), *arguments]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HostError(f"{program} of the stack does not run on this host: {error}") from error
        if done.returncode:
            raise HostError(f"{' '.join(argv)} failed: {done.stderr.strip()[-300:]}")
        return done.stdout

    return run


def programs_of_image(engine: "Engine", image: str) -> RunProgram:
    """Return what runs programs in containers of `image`, one after the other, each gone when it ends."""
    from pqbed.beds.docker.engine import ContainerSpec  # noqa: PLC0415
    from pqbed.beds.docker.labels import standalone_labels  # noqa: PLC0415
    from pqbed.beds.docker.one_shot_container import start_one_shot  # noqa: PLC0415

    def run(argv: Sequence[str], timeout_s: float) -> str:
        labels = standalone_labels("docker", "probe")
        spec = ContainerSpec(name=None, image=image, argv=tuple(argv), labels=labels, attached=True)
        process = start_one_shot(engine, spec, argv[0])
        try:
            lines = list(iter(lambda: process.readline(timeout_s), ""))
        except LaneError as error:
            raise HostError(f"{' '.join(argv)} of the stack does not end: {error.message}") from error
        finally:
            process.close()
        if not lines:
            raise HostError(f"{' '.join(argv)} failed: {process.last_words()}")
        return "".join(lines)

    return run


def _only(root: Path, pattern: str) -> Path:
    paths = sorted(root.glob(pattern))
    if not paths:
        raise HostError(f"{root} has no {pattern}", "remove it, and let `pqbed build` make it again")
    return paths[0]
