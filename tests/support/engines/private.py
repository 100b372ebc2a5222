"""A Docker Engine of our own, for tests on a host where none answers: in one folder, without bridge and firewall."""

import gc
import os
import shutil
import signal
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


class EngineProcess:
    """dockerd in `folder`: it can be ended, by its own pid, and started again with all that it had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/socket"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> DockerEngine:
        """Start it and return a connection, which the caller closes."""
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command(self._folder, self.host), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return wait_ready(self.host, START_TIMEOUT_S, self._says)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal: as a service manager would, together with its containerd."""
        if self._process is None:
            return
        if number == signal.SIGKILL:
            containerd = self._folder / "exec/containerd/containerd.pid"
            os.kill(int(containerd.read_text()), signal.SIGKILL)
            containerd.unlink()  # dockerd would take a process that no one has waited for to be running
        self._process.send_signal(number)
        self._process.wait(END_TIMEOUT_S)

    def _says(self) -> tuple[str, bool]:
        assert self._process is not None
        return (self._folder / "log").read_text(errors="replace")[-2000:], self._process.poll() is not None


@contextmanager
def private_engine_process() -> Iterator[EngineProcess]:
    """Yield an engine that has not been started; end it afterwards."""
    install()
    with tempfile.TemporaryDirectory(prefix="pqbed-engine-", dir="/var/tmp") as name:
        process = EngineProcess(Path(name))
        try:
            yield process
        finally:
            process.end()
            _unmount_below(Path(name))


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
