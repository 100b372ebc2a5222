"""UML guest in a container: no privilege, no network, its console as a stream of lines."""

from collections.abc import Sequence

from pqbed.beds.docker.engine_interface import ContainerSpec, Engine
from pqbed.beds.docker.labels import standalone_labels
from pqbed.beds.docker.one_shot_container import OneShotContainer, start_one_shot


def open_uml_process(engine: Engine, image: str, argv: Sequence[str], name: str = "the guest") -> OneShotContainer:
    """Run `argv` in the guest image, attached. UML keeps its memory and a folder on /tmp, which must be executable."""
    spec = ContainerSpec(
        name=None,
        image=image,
        argv=tuple(argv),
        labels=standalone_labels("uml", "guest"),
        tmpfs={"/tmp": "exec,mode=1777,size=1g"},  # noqa: S108 - the container's own
        environment={"HOME": "/tmp", "TMPDIR": "/tmp"},  # noqa: S108
        attached=True,
    )
    return start_one_shot(engine, spec, name)
