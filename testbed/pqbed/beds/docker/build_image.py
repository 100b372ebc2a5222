"""Image builds: `docker buildx build`, or the engine's classic builder if that is missing."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pqbed.beds.docker.endpoint import DockerEndpoint
from pqbed.errors import BuildError

LAST_LINES = 15
PROBE_TIMEOUT_S = 20
NO_NETWORK_HINT = (
    "a build needs Debian's archive: can containers of this engine reach it? Images can be built elsewhere and loaded "
    "(`pqbed build --bed docker`, then docker save and docker load)"
)


class ClassicBuild:
    """Reads the answers of the classic builder to their end."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._tail: deque[str] = deque(maxlen=LAST_LINES)

    def follow(self, answers: Iterable[Mapping[str, Any]]) -> None:
        """Read all `answers`, so that their connection ends. Raises BuildError if one reports a failure."""
        failed = False
        for answer in answers:
            self._tail.extend(line for line in str(answer.get("stream", "")).splitlines() if line.strip())
            if "error" in answer:
                self._tail.append(str(answer["error"]))
                failed = True
        if failed:
            raise failed_build(self._reference, self._tail)


def has_buildx() -> bool:
    """Return whether the Docker CLI is installed with its plug-in buildx."""
    if shutil.which("docker") is None:
        return False
    try:
        probe = subprocess.run(
            ["docker", "buildx", "version"], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def build_with_buildx(
    endpoint: DockerEndpoint,
    context: Path,
    reference: str,
    *,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    network: str | None,
) -> None:
    """Build through the CLI, on the engine at `endpoint`, into its image store."""
    argv = ["docker", "buildx", "build", "--load", "--progress=plain", f"--tag={reference}"]
    argv += [f"--label={name}={value}" for name, value in labels.items()]
    argv += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    argv += [] if network is None else [f"--network={network}"]
    others = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "BUILDX_BUILDER")
    inherited = {name: value for name, value in os.environ.items() if name not in others}
    tail: deque[str] = deque(maxlen=LAST_LINES)
    with subprocess.Popen(
        [*argv, str(context)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**inherited, **endpoint.environment},
    ) as process:
        assert process.stdout is not None
        tail.extend(line.rstrip() for line in process.stdout if line.strip())
    if process.returncode != 0:
        raise failed_build(reference, tail)


def failed_build(reference: str, tail: Iterable[str]) -> BuildError:
    """Return the error of a failed build, with its last lines."""
    return BuildError(f"the image {reference} was not built; the last lines:", NO_NETWORK_HINT, tuple(tail))
