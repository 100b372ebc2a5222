"""Interface to a container engine. `sdk.py` is the real one; tests inject one that fails at call n."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pqbed.beds.docker.endpoint import DockerEndpoint
from pqbed.errors import EngineError

ObjectKind = Literal["container", "network", "volume"]

ORDINARY_USER = "1000:1000"
MIB = 1 << 20


class TakenError(EngineError):
    """A name or an address range is in use by something else on the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """Version and kernel of the engine; the kernel is that of the containers, on the host of the engine."""

    name: str
    version: str
    kernel: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAttachment:
    """An address on a network of the engine."""

    network: str
    address: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a container may use: far above what a lane needs, far below what harms the engine's host."""

    pids: int = 512
    memory_bytes: int = 2048 * MIB
    log_bytes: int = MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A container with only the capabilities in `capabilities`, a read-only root, and no new privileges.

    `attachment` puts it to a network; `joins` puts it into the network namespace of another container; with neither it
    has no network. `attached` keeps its standard input and output open, and removes it when it ends.
    """

    name: str | None
    image: str
    argv: tuple[str, ...]
    labels: Mapping[str, str]
    user: str = ORDINARY_USER
    attachment: NetworkAttachment | None = None
    joins: str | None = None
    capabilities: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    attached: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A network without access to the outside."""

    name: str
    subnet: str
    gateway: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A thing with its labels. Of a container: the id of its image, when it started (ns since 1970), its networks.

    `busy`: a program was started in it and still runs.
    """

    kind: ObjectKind
    id: str
    name: str
    labels: Mapping[str, str]
    running: bool = False
    image: str = ""
    busy: bool = False
    started_ns: int = 0
    networks: tuple[str, ...] = ()


class ContainerConnection(Protocol):
    """Bytes to and from a process in a container: what comes is multiplexed (stream.py)."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, b"" at the end. Raises TimeoutError when nothing comes in time."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises OSError when the other side is gone."""
        ...

    def end_input(self) -> None:
        """Let the process read its end of input."""
        ...

    def close(self) -> None:
        """Leave the connection. Safe to call twice."""
        ...


class Engine(Protocol):
    """A container engine. Every method raises EngineError when the engine is gone or refuses.

    Removing something that is already gone is no error. Ids are the engine's own.
    """

    @property
    def endpoint(self) -> DockerEndpoint:
        """Where it is reached."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    def facts(self) -> EngineFacts:
        """Return version and kernel."""
        ...

    def image_id(self, reference: str) -> str | None:
        """Return the id of a local image, None if there is none."""
        ...

    def pull_image(self, reference: str) -> bool:
        """Pull an image from its registry; return whether that worked."""
        ...

    def import_image(self, tar: Path, reference: str) -> None:
        """Make an image of one layer from a file system in a tar."""
        ...

    def build_image(
        self, context: Path, reference: str, arguments: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        """Build `context/Dockerfile`. Raises BuildError with the last lines of output."""
        ...

    def images(self, prefix: str) -> Sequence[str]:
        """Return references of local images that start with `prefix`."""
        ...

    def labelled_images(self, label: str) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of local images that carry `label`, with their references: none for a builder's leftover."""
        ...

    def image_digest(self, reference: str) -> str:
        """Return the digest under which a registry has the image, its id if none has it."""
        ...

    def remove_image(self, reference: str) -> bool:
        """Remove a local image or its reference; return whether that was possible (others may be built on it)."""
        ...

    def subnets(self) -> Sequence[str]:
        """Return the address ranges of all networks, whoever created them."""
        ...

    def create_network(self, spec: NetworkSpec) -> str:
        """Create a network and return its id. Raises TakenError if its name or addresses are in use."""
        ...

    def create_container(self, spec: ContainerSpec) -> str:
        """Create a container and return its id. Raises TakenError if its name is in use."""
        ...

    def start_container(self, container: str) -> None:
        """Start it."""
        ...

    def find(self, kind: ObjectKind, labels: Mapping[str, str | None]) -> Sequence[Owned]:
        """Return everything of `kind` with all of `labels` (None: any value), stopped or not."""
        ...

    def remove(self, thing: Owned) -> None:
        """Remove it, ending what runs in it."""
        ...

    def last_words(self, container: str) -> str:
        """Return the last output of the container's first process; "" if unknown."""
        ...

    def ran_out_of_memory(self, container: str) -> bool:
        """Return whether the kernel killed a process of the container for want of memory; False if unknown."""
        ...

    def execute(self, container: str, argv: Sequence[str]) -> ContainerConnection:
        """Start a program in a running container and return its standard input and outputs."""
        ...

    def attach(self, container: str) -> ContainerConnection:
        """Return the standard input and outputs of a container not yet started."""
        ...
