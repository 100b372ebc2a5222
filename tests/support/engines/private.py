"""A Docker Engine of our own, for tests on a host where none answers: in one folder, without bridge and firewall."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pqbed.beds.docker.docker_sdk_engine import DockerEngine, connect_to
from pqbed.errors import EngineError

START_TIMEOUT_S = 60
END_TIMEOUT_S = 60


def missing() -> str:
    """Say what this host lacks for it, "" for nothing."""
    if os.geteuid() != 0:
        return "no container engine answers, and starting one takes root"
    if shutil.which("dockerd") is None and shutil.which("apt-get") is None:
        return "no container engine answers, and dockerd is not installed"
    return ""


@contextmanager
def private_engine_process() -> Iterator[DockerEngine]:
    """Start dockerd, yield a connection, end it by its own pid."""
    install()
    with tempfile.TemporaryDirectory(prefix="pqbed-engine-", dir="/var/tmp") as name:
        folder = Path(name)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command(folder, f"unix://{folder}/socket"), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield wait_ready(f"unix://{folder}/socket", START_TIMEOUT_S, lambda: _says(process, folder))
        finally:
            process.terminate()
            process.wait(END_TIMEOUT_S)
            _unmount_below(folder)


def wait_ready(host: Any, timeout_s: Any, says: Any) -> DockerEngine:
    """Return a connection as soon as the engine at `host` answers; `says` tells how it fares where it does not."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return try_connect(lambda: connect_to(host))
        except EngineError as error:
            words, ended = says()
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"no engine at {host}: {error.message}: {words}") from error
        time.sleep(0.2)


def try_connect(connecting: Callable[[], DockerEngine]) -> DockerEngine:
    """Connect; the SDK leaves the socket of a failed attempt to the garbage collector, which is not to complain."""
    try:
        return connecting()
    except EngineError as error:
        refused = EngineError(error.message, error.hint)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    raise refused


def command(folder: Path, host: str) -> list[str]:
    """Return the command of an engine in `folder` that listens at `host`."""
    return [
        "dockerd",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        f"--host={host}",
        # Lanes bring their own networks; builds take the host's. So the host's firewall and bridges stay as they are.
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
    ]


def _unmount_below(folder: Path) -> None:
    """Unmount what dockerd leaves: the host's namespace, where a build used it."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in reversed(points):
        if Path(point).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", point], check=True)


def install() -> None:
    """Install Docker's engine if it is missing."""
    if shutil.which("dockerd") is None:
        sys.stderr.write("tests: no container engine here: apt-get install docker.io\n")
        install = ["apt-get", "install", "-qy", "--no-install-recommends", "docker.io"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)


def _says(process: subprocess.Popen[bytes], folder: Path) -> tuple[str, bool]:
    return (folder / "log").read_text(errors="replace")[-2000:], process.poll() is not None
