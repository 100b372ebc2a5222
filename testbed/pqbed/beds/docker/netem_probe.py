"""Probe of the kernel of an engine, from a container: for netem, and for what features need beyond it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pqbed.agent.lane_part_interfaces import EndService
from pqbed.agent.rpc_proxies import proxy
from pqbed.beds.docker.containers import HOLD, TMPFS
from pqbed.beds.docker.engine_interface import ContainerSpec, Engine, Owned
from pqbed.beds.docker.labels import standalone_labels
from pqbed.beds.docker.lane_session import START_TIMEOUT_S, ReadTimeout, agent_command, open_channel
from pqbed.errors import HostError


def netem_in_engine(engine: Engine, image: str) -> HostError | None:
    """Return None if containers of `engine` can be shaped, else the error with a hint.

    `image` is one of our stacks. The container is removed.
    """
    with _probe_container(engine, image) as container:
        try:
            require_netem(engine, container, "lo")
        except HostError as error:
            return error
    return None


def missing_in_engine(engine: Engine, image: str) -> tuple[str, ...]:
    """Return the modules of net/kernel_features.py that the kernel of `engine` lacks. The container is removed."""
    with _probe_container(engine, image) as container, _open_end(engine, container, "lo") as end:
        return end.missing_modules()


def require_netem(engine: Engine, container: str, ifname: str = "eth0") -> None:
    """Raise HostError if `ifname` of a running container that holds NET_ADMIN cannot be shaped."""
    with _open_end(engine, container, ifname) as end:
        end.check_netem()


@contextmanager
def _open_end(engine: Engine, container: str, ifname: str) -> Iterator[EndService]:
    with ExitStack() as owner:
        command = agent_command("end", "--ifname", ifname)
        read_timeout = ReadTimeout(START_TIMEOUT_S)
        channel = open_channel(engine, container, command, "the probe", read_timeout=read_timeout, owner=owner)
        yield proxy(EndService, channel)


@contextmanager
def _probe_container(engine: Engine, image: str) -> Iterator[str]:
    """Yield a running container that may shape its own interfaces; it is removed."""
    spec = ContainerSpec(
        name=None,
        image=image,
        argv=HOLD,
        labels=standalone_labels("docker", "probe"),
        user="0:0",
        capabilities=("NET_ADMIN",),
        tmpfs=TMPFS,
    )
    with ExitStack() as owner:
        container = engine.create_container(spec)
        owner.callback(engine.remove, Owned(kind="container", id=container, name="probe", labels=spec.labels))
        engine.start_container(container)
        yield container
