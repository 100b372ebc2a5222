"""Session on a lane: the agents of its four parts, each started by `exec` and ended by closing its input."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import MappingProxyType

from pqbed.agent.rpc_client import RpcClient
from pqbed.beds.docker.engine_interface import Engine
from pqbed.beds.docker.exec_stream import ContainerProcess
from pqbed.errors import LaneError

START_TIMEOUT_S = 60.0
# A session starts without the keys and bodies of the previous one, however that ended.
_CLEAN = 'rm -rf "$PQBED_FOLDER"; exec "$@"'
_FOLDER = "/run/pqbed"


def agent_command(role: str, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
    """Return the command of the agent in our images; `environment` is that of the stack."""
    own = [f"{name}={value}" for name, value in environment.items()]
    agent = ("python3", "-m", "pqbed.agent", role, *arguments)
    if role != "server":
        return ("env", *own, *agent) if own else agent
    return ("env", *own, f"PQBED_FOLDER={_FOLDER}", "sh", "-c", _CLEAN, "sh", *agent)


class ReadTimeout:
    """How long a part may stay silent: one value for all channels of a session, which may change."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def open_channel(
    engine: Engine, container: str, argv: Sequence[str], name: str, *, read_timeout: ReadTimeout, owner: ExitStack
) -> RpcClient:
    """Start the agent `argv` in a container and wait until it is ready; `owner` ends it."""
    process = ContainerProcess(engine.execute(container, argv), name)
    owner.callback(process.close)
    channel = RpcClient(process.write, partial(_readline, process, read_timeout), name)
    try:
        channel.wait_ready()
    except LaneError as error:
        words = process.last_words()
        raise LaneError(f"{error.message}{': ' + words if words else ''}", error.hint) from error
    return channel


def _readline(process: ContainerProcess, read_timeout: ReadTimeout) -> str:
    return process.readline(read_timeout.seconds)
