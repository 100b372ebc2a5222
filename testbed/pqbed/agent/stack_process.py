"""A stack's server or client as an agent process of its own, with the stack's environment, on the same root.

A library is configured once per process, from the environment it finds when it is loaded.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pqbed.agent.rpc_client import RpcClient
from pqbed.fetch.fewer_calls import client_environment
from pqbed.spec.stacks import Stack

FOLDER_VARIABLE = "PQBED_FOLDER"
END_TIMEOUT_S = 20.0


def lane_folder() -> Path:
    """Return the folder for keys, configuration and bodies: on a tmpfs that ends with the lane."""
    return Path(os.environ.get(FOLDER_VARIABLE, "/run/pqbed"))


class StackProcess:
    """Owns the process of one side of a stack. `enter` moves it into its namespace."""

    def __init__(self, role: str, stack: Stack, folder: Path, enter: Callable[[], None] | None = None) -> None:
        """Start the process and wait until it is ready. Raises what kept it from starting."""
        preload = client_environment() if role == "client" else {}
        self._process = subprocess.Popen(
            (sys.executable, "-m", "pqbed.agent", role, "--stack", stack.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **stack.environment, **preload, FOLDER_VARIABLE: str(folder)},
            text=True,
            bufsize=1,
            preexec_fn=enter,  # noqa: PLW1509 - one system call; no thread of the agent runs then
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self.rpc = RpcClient(self._input.write, self._output.readline, f"{role} {stack.name}")
        try:
            self.rpc.wait_ready()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close its input, which ends it and what it started."""
        self._input.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
