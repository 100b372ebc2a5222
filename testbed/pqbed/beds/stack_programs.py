"""Programs of a stack on this host's own CPUs: from its root file system, or in a container of its image.

Without network, lane or shaping: for asking a stack which algorithms it has and what they cost.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pqbed.artefacts.build_contexts import REPOSITORY
from pqbed.artefacts.uml_rootfs import fitting_root
from pqbed.artefacts.user_stacks import FILES
from pqbed.beds.host_checks import built_artefacts, probe_engine
from pqbed.errors import HostError, LaneError
from pqbed.spec.stacks import ADDED, HOME, Stack, added_stacks_home
from pqbed.user_folders import cache_home

if TYPE_CHECKING:
    from pqbed.beds.docker.engine_interface import Engine

# Takes a command and how long it may take in seconds; returns its output. Raises HostError.
RunProgram = Callable[[Sequence[str], float], str]

LOADERS = "lib*/ld-linux-*.so.*"
LIBRARIES = "usr/lib/*-linux-gnu"
IMAGES = "pqbed/openssl:"
# As ERR_print_errors prints one: thread, `error`, code, library, function, reason, file, line, data.
_OPENSSL_ERROR = re.compile(r"\w+:error:\w+:[^:]*:[^:]*:(?P<reason>[^:]*):[^:]*:\d+:(?P<data>.*)")


def find_programs(stack: Stack | None = None) -> RunProgram | None:
    """Return what runs programs of the stack; None if neither a root with it nor its image has been built.

    `stack` None is the default one.
    """
    root = newest_root() if stack is None else _root_with(stack)
    if root is not None:
        files = None if stack is None or not stack.hash else added_stacks_home() / stack.name / FILES
        return programs_of_root(root, stack, files)
    if probe_engine().info is None:
        return None
    from pqbed.beds.docker.docker_sdk_engine import connect  # noqa: PLC0415 - docker only where an engine answers

    engine = connect()
    images = engine.images(IMAGES if stack is None else f"{REPOSITORY}/{stack.name}:")
    return programs_of_image(engine, images[-1]) if images else None


def _root_with(stack: Stack) -> Path | None:
    """Return a built root that has `stack`; the files of an added one are not needed in it."""
    root = fitting_root((stack.name,))
    return newest_root() if stack.hash else root if root.exists() else None


def newest_root() -> Path | None:
    """Return the root file system that was built last, None if there is none."""
    roots = built_artefacts("roots")
    return cache_home() / "roots" / roots[-1] if roots else None


def programs_of_root(root: Path, stack: Stack | None = None, files: Path | None = None) -> RunProgram:
    """Return what runs programs of `root` by its own loader and libraries: no privilege is needed for that.

    With the environment of `stack`, whose files are in `files` on this host; None: where they are in `root`.
    """
    loader = str(_only(root, LOADERS))
    libraries = _only(root, LIBRARIES)
    environment = {
        "PATH": os.defpath,
        "OPENSSL_CONF": str(root / "etc/ssl/openssl.cnf"),
        "OPENSSL_MODULES": str(libraries / "ossl-modules"),
    }
    if stack is not None:
        place = f"{ADDED if stack.hash else HOME}/{stack.name}"
        here = str(files or root / place.lstrip("/"))
        environment |= {name: value.replace(place, here) for name, value in stack.environment.items()}
    search = ":".join(filter(None, (str(libraries), environment.pop("LD_LIBRARY_PATH", ""))))

    def run(argv: Sequence[str], timeout_s: float) -> str:
        program, *arguments = argv
        path = _program(root, program)
        command = [loader, "--library-path", search] if _is_dynamic(path) else []
        command += [str(path), *arguments]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HostError(f"{program} of the stack does not run on this host: {error}") from error
        if done.returncode < 0:
            raise HostError(f"{' '.join(argv)} crashed ({signal.Signals(-done.returncode).name})")
        if done.returncode:
            raise HostError(f"{' '.join(argv)} failed: {last_line(done.stderr)}")
        return done.stdout

    return run


def programs_of_image(engine: "Engine", image: str) -> RunProgram:
    """Return what runs programs in containers of `image`, one after the other, each gone when it ends."""
    from pqbed.beds.docker.engine_interface import ContainerSpec  # noqa: PLC0415
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


def last_line(text: str) -> str:
    """Return the last line that a program printed; of an error of OpenSSL only the reason and what it is about."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return "it printed nothing"
    error = _OPENSSL_ERROR.match(lines[-1])
    return lines[-1].strip()[-300:] if error is None else f"{error['reason']} ({error['data']})"


def _program(root: Path, program: str) -> Path:
    """Return the file of a program, named as in the search path or by its path in `root`."""
    return root / program.lstrip("/") if program.startswith("/") else root / "usr/bin" / program


def _is_dynamic(path: Path) -> bool:
    """Return whether a program needs a loader; a static one starts by itself."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        return b"/ld-linux" in file.read(4096)
    return True


def _only(root: Path, pattern: str) -> Path:
    paths = sorted(root.glob(pattern))
    if not paths:
        raise HostError(f"{root} has no {pattern}", "remove it, and let `pqbed build` make it again")
    return paths[0]
