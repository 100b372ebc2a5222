"""A uml guest as a container: no privilege, no network, and its console as a stream of lines."""

from collections.abc import Sequence
from contextlib import suppress

from pqbed.beds.docker.engine import ContainerSpec, Engine, Owned
from pqbed.beds.docker.labels import lone_labels
from pqbed.beds.docker.stream import ContainerProcess
from pqbed.errors import EngineError


class GuestContainer(ContainerProcess):
    """A `LaneProcess` that is a container of its own."""

    def __init__(self, engine: Engine, container: Owned, name: str) -> None:
        super().__init__(engine.attach(container.id), name)
        self._engine = engine
        self._container = container

    def close(self) -> None:
        """End its input, then what is left of it."""
        super().close()
        with suppress(EngineError):
            self._engine.remove(self._container)


def open_uml_process(engine: Engine, image: str, argv: Sequence[str], name: str = "the guest") -> GuestContainer:
    """Run `argv` in the guest image, attached. UML keeps its memory and a folder on /tmp, which must be executable."""
    spec = ContainerSpec(
        name=None,
        image=image,
        argv=tuple(argv),
        labels=lone_labels("uml", "guest"),
        tmpfs={"/tmp": "exec,mode=1777"},  # noqa: S108 - the container's own
        environment={"HOME": "/tmp", "TMPDIR": "/tmp"},  # noqa: S108
        attached=True,
    )
    container = Owned(kind="container", id=engine.create_container(spec), name=name, labels=spec.labels)
    try:
        process = GuestContainer(engine, container, name)
        engine.start_container(container.id)
    except BaseException:
        with suppress(EngineError):
            engine.remove(container)
        raise
    return process
