"""A stack's server as an agent process of its own, for real: without its program, and when it cannot start."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.agent.lane_part_interfaces import StackServer
from pqbed.agent.rpc_proxies import proxy
from pqbed.agent.stack_process import StackProcess, lane_folder
from pqbed.errors import HostError, SpecError
from pqbed.spec.stacks import stack_named

OPENSSL = stack_named("openssl")


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # No openssl, no nginx: the agent must say so.
    monkeypatch.setenv("PATH", str(tmp_path))
    process = StackProcess("server", replace(OPENSSL, environment={"LD_BIND_NOW": "1"}), tmp_path / "folder")
    yield process
    process.close()


def test_it_answers_calls_until_it_is_closed(process: Any) -> None:
    server = proxy(StackServer, process.rpc)
    assert server.alive() is False
    assert server.stop() is None
    assert server.credentials() == ()
    process.close()
    assert process._process.returncode == 0


def test_an_error_of_the_host_comes_with_its_hint(process: Any) -> None:
    with pytest.raises(HostError, match=r"^openssl cannot be started: No such file or directory$") as caught:
        proxy(StackServer, process.rpc).support()
    assert "pqbed build" in caught.value.hint


def test_it_runs_in_the_environment_of_its_stack(process: Any) -> None:
    environment = Path(f"/proc/{process._process.pid}/environ").read_bytes().split(b"\0")
    assert b"LD_BIND_NOW=1" in environment
    assert any(entry.startswith(b"PQBED_FOLDER=") and entry.endswith(b"/folder") for entry in environment)


def test_a_process_that_cannot_start_is_ended(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nosuch"):
        StackProcess("server", replace(OPENSSL, name="nosuch"), tmp_path)


def test_the_folder_is_on_the_tmpfs_of_run_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PQBED_FOLDER", raising=False)
    assert lane_folder() == Path("/run/pqbed")
    monkeypatch.setenv("PQBED_FOLDER", "/elsewhere")
    assert lane_folder() == Path("/elsewhere")
