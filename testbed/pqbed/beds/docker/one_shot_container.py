"""One-shot container: runs one process attached, and is removed with it."""

from contextlib import suppress

from pqbed.beds.docker.engine_interface import ContainerSpec, Engine, Owned
from pqbed.beds.docker.exec_stream import ContainerProcess
from pqbed.errors import EngineError, LaneError


class OneShotContainer(ContainerProcess):
    """A `LaneProcess` (beds/lane_process.py) in a container of its own."""

    def __init__(self, engine: Engine, container: Owned, name: str) -> None:
        super().__init__(engine.attach(container.id), name)
        self._engine = engine
        self._container = container

    def readline(self, timeout_s: float) -> str:
        """Return the next line, "" at the end. Raises LaneError if it ended for want of memory."""
        line = super().readline(timeout_s)
        if not line and self._engine.ran_out_of_memory(self._container.id):
            raise LaneError(
                f"{self._name} ran out of memory: its engine says OOMKilled",
                "give the engine more memory, or use fewer lanes (--lanes)",
            )
        return line

    def close(self) -> None:
        """Close its input, then remove the container."""
        super().close()
        with suppress(EngineError):
            self._engine.remove(self._container)


def start_one_shot(engine: Engine, spec: ContainerSpec, name: str) -> OneShotContainer:
    """Create and start the attached container that `spec` describes; `name` is for messages."""
    container = Owned(kind="container", id=engine.create_container(spec), name=name, labels=spec.labels)
    try:
        process = OneShotContainer(engine, container, name)
        engine.start_container(container.id)
    except BaseException:
        with suppress(EngineError):
            engine.remove(container)
        raise
    return process
