"""A part of a lane as a process of its own on the same root: one whose stack wants an environment of its own.

A library is configured once a process, by what stands in the environment when it is loaded.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pqbed.agent.rpc_client import RpcClient
from pqbed.spec.stacks import Stack

END_TIMEOUT_S = 20.0


class StackProcess:
    """Owns the process of one side of a stack. `enter` moves it into its namespace."""

    def __init__(self, role: str, stack: Stack, folder: Path, enter: Callable[[], None] | None = None) -> None:
        environment = {**os.environ, **stack.environment, "PQBED_FOLDER": str(folder)}
        self._process = subprocess.Popen(
            (sys.executable, "-m", "pqbed.agent", role, "--stack", stack.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            bufsize=1,
            preexec_fn=enter,  # noqa: PLW1509 - one system call; no thread of the agent runs then
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self.rpc = RpcClient(self._write, self._process.stdout.readline, f"{role} {stack.name}")
        self.rpc.wait_ready()

    def _write(self, text: str) -> None:
        self._input.write(text)

    def close(self) -> None:
        """Close its input, which ends it and what it started."""
        self._input.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
