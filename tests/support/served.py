"""`pqbed serve` as a process, and sweeps of the fake bed beside it."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

PQBED = (sys.executable, "-m", "pqbed_cli")
WAIT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that answers at `address`, the one with the token."""

    address: str
    folder: Path
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return urlsplit(self.address).path

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    def ask(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        whole: bool = False,
    ) -> tuple[int, Mapping[str, str], str]:
        """Return status, headers and text for an address below the token (`whole`: below the host)."""
        connection = http.client.HTTPConnection(self.host, timeout=WAIT_S)
        with contextlib.closing(connection):
            sent = {"Origin": f"http://{self.host}", **(headers or {})}
            body = None if form is None else urlencode(form)
            connection.request("GET" if form is None else "POST", path if whole else self.base + path, body, sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serve the runs of `folder`/results; the sweeps that were started there are ended too."""
    command = [*PQBED, "serve"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(address=process.stdout.readline().strip(), folder=folder, process=process)
        finally:
            process.kill()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextlib.contextmanager
def sweeping(folder: Path, samples: int) -> Iterator[subprocess.Popen[bytes]]:
    """Measure with the fake bed, in a process that no server started."""
    command = [*PQBED, "sweep", "--bed=fake", "--rtt=35", "--bandwidth=1", "--size=0,50", f"--samples={samples}"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
