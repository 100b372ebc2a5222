"""An engine in memory that fails at call n: before it does what it was asked, or after (the answer is lost)."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pqbed.beds.docker.endpoint import DockerEndpoint
from pqbed.beds.docker.engine_interface import (
    ContainerConnection,
    ContainerSpec,
    EngineFacts,
    NetworkSpec,
    ObjectKind,
    Owned,
    TakenError,
)
from pqbed.errors import EngineError, PqbedError


@dataclass
class FakeEngine:
    """`fail_at` counts calls from 1; 0 never fails. `agents` gives the connection for an `execute`."""

    fail_at: int = 0
    answer_lost: bool = False
    things: dict[str, Owned] = field(default_factory=dict)
    specs: dict[str, ContainerSpec] = field(default_factory=dict)
    networks: dict[str, NetworkSpec] = field(default_factory=dict)
    foreign_subnets: tuple[str, ...] = ()
    endpoint: DockerEndpoint = field(default_factory=lambda: DockerEndpoint(host="unix:///fake"))
    clock: int = 0
    local_images: dict[str, str] = field(default_factory=dict)
    pullable: tuple[str, ...] = ()
    connection: ContainerConnection | None = None
    calls: list[str] = field(default_factory=list)
    built: list[dict[str, str]] = field(default_factory=list)
    labelled: dict[str, dict[str, str]] = field(default_factory=dict)
    build_failure: PqbedError | None = None
    out_of_memory: set[str] = field(default_factory=set)
    last_id: int = 0

    def _call(self, name: str) -> bool:
        """Count a call; return whether to lose its answer."""
        self.calls.append(name)
        if len(self.calls) != self.fail_at:
            return False
        if self.answer_lost:
            return True
        raise EngineError(f"the engine failed at {name}")

    def _lose(self, lost: bool) -> None:
        if lost:
            raise EngineError("the engine's answer was lost")

    def _identity(self) -> str:
        self.last_id += 1
        return f"id{self.last_id}"

    def close(self) -> None:
        pass

    def facts(self) -> EngineFacts:
        self._lose(self._call("facts"))
        return EngineFacts(name="fake", version="1", kernel="7.3", host="here")

    def image_id(self, reference: str) -> str | None:
        self._lose(self._call("image_id"))
        return self.local_images.get(reference)

    def pull_image(self, reference: str) -> bool:
        self._call("pull_image")
        if reference in self.pullable:
            self.local_images[reference] = f"sha256:{reference}"
        return reference in self.pullable

    def import_image(self, tar: Path, reference: str) -> None:
        lost = self._call("import_image")
        assert tar.exists()
        self.local_images[reference] = f"sha256:{reference}"
        self._lose(lost)

    def build_image(
        self, context: Path, reference: str, arguments: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        lost = self._call("build_image")
        if self.build_failure is not None:
            raise self.build_failure
        self.built.append({"context": str(context), **arguments})
        self.labelled[reference] = dict(labels)
        self.local_images[reference] = f"sha256:{reference}"
        self._lose(lost)

    def images(self, prefix: str) -> Sequence[str]:
        self._lose(self._call("images"))
        return sorted(name for name in self.local_images if name.startswith(prefix))

    def labelled_images(self, label: str) -> Mapping[str, tuple[str, ...]]:
        self._lose(self._call("labelled_images"))
        return {
            self.local_images[name]: (name,)
            for name, labels in self.labelled.items()
            if label in labels and name in self.local_images
        }

    def image_digest(self, reference: str) -> str:
        self._lose(self._call("image_digest"))
        return self.local_images[reference]

    def remove_image(self, reference: str) -> bool:
        lost = self._call("remove_image")
        del self.local_images[reference]
        self._lose(lost)
        return True

    def subnets(self) -> Sequence[str]:
        self._lose(self._call("subnets"))
        return [*self.foreign_subnets, *(self.networks[key].subnet for key in self.networks if key in self.things)]

    def create_network(self, spec: NetworkSpec) -> str:
        lost = self._call("create_network")
        present = [self.networks[key] for key in self.networks if key in self.things]
        if any(spec.name == other.name or spec.subnet == other.subnet for other in present):
            raise TakenError(f"the network {spec.name} overlaps with another")
        identity = self._identity()
        self.networks[identity] = spec
        self.things[identity] = Owned(kind="network", id=identity, name=spec.name, labels=spec.labels)
        self._lose(lost)
        return identity

    def create_container(self, spec: ContainerSpec) -> str:
        lost = self._call("create_container")
        if spec.name in {thing.name for thing in self.things.values() if thing.kind == "container"}:
            raise TakenError(f"the name {spec.name} is already in use")
        identity = self._identity()
        name = spec.name or identity
        self.things[identity] = Owned(kind="container", id=identity, name=name, labels=spec.labels, image=spec.image)
        self.specs[identity] = spec
        self._lose(lost)
        return identity

    def start_container(self, container: str) -> None:
        lost = self._call("start_container")
        attachment = self.specs[container].attachment
        self.clock += 1
        networks = () if attachment is None else (attachment.network,)
        self.change(container, running=True, started_ns=self.clock, networks=networks)
        self._lose(lost)

    def find(self, kind: ObjectKind, labels: Mapping[str, str | None]) -> Sequence[Owned]:
        self._lose(self._call("find"))
        return [
            thing
            for thing in self.things.values()
            if thing.kind == kind
            and all(name in thing.labels and value in (None, thing.labels[name]) for name, value in labels.items())
        ]

    def remove(self, thing: Owned) -> None:
        lost = self._call("remove")
        if thing.kind == "network" and any(
            spec.attachment is not None and spec.attachment.network == thing.name and identity in self.things
            for identity, spec in self.specs.items()
        ):
            raise EngineError(f"the network {thing.name} has active endpoints")
        self.things.pop(thing.id, None)
        self._lose(lost)

    def last_words(self, container: str) -> str:
        self._call("last_words")
        return "said before its end" if container in self.things else ""

    def ran_out_of_memory(self, container: str) -> bool:
        self._call("ran_out_of_memory")
        return container in self.out_of_memory

    def execute(self, container: str, argv: Sequence[str]) -> ContainerConnection:
        self._lose(self._call("execute"))
        assert self.things[container].running
        assert "pqbed.agent" in argv
        assert self.connection is not None
        return self.connection

    def attach(self, container: str) -> ContainerConnection:
        self._lose(self._call("attach"))
        assert container in self.things
        assert self.connection is not None
        return self.connection

    def change(self, identity: str, **values: Any) -> None:
        """Replace fields of a thing."""
        thing = self.things[identity]
        fields = {name: getattr(thing, name) for name in Owned.__slots__}
        self.things[identity] = Owned(**{**fields, **values})


def frame(stream: int, data: bytes) -> bytes:
    """Return data as the engine multiplexes it."""
    return struct.pack(">BxxxL", stream, len(data)) + data


class Scripted:
    """Gives `chunks` one by one, then silence or the end."""

    def __init__(self, chunks: list[bytes], *, ends: bool = True) -> None:
        self.chunks = list(chunks)
        self.ends = ends
        self.written = b""
        self.input_ended = self.closed = 0

    def read(self, _timeout_s: float) -> bytes:
        if self.chunks:
            return self.chunks.pop(0)
        if self.ends or self.input_ended:
            return b""
        raise TimeoutError

    def write(self, data: bytes) -> None:
        self.written += data

    def end_input(self) -> None:
        self.input_ended += 1

    def close(self) -> None:
        self.closed += 1
