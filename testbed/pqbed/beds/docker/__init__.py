"""The docker bed: lanes as containers of one engine, behind the Docker API."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqbed.beds.artefacts import OnStep
    from pqbed.beds.docker.bed import DockerBed
    from pqbed.beds.docker.engine import Engine
    from pqbed.spec.options import Clock


def make_bed(*, clock: "Clock", on_step: "OnStep", ca_bundle: Path | None) -> "DockerBed":
    """Return the bed on the engine that answers. Raises EngineError where none does."""
    from pqbed.beds.docker.bed import DockerBed
    from pqbed.beds.docker.sdk import connect

    assert clock == "real"
    return DockerBed(connect(), lambda engine: prepare_images(engine, on_step, ca_bundle))


def prepare_images(
    engine: "Engine", on_step: "OnStep", ca_bundle: Path | None, network: str | None = None
) -> Mapping[str, str]:
    """Make or find the images of the stacks on `engine`; return their ids by stack."""
    from pqbed.beds.artefacts import docker_contexts, prepare_base
    from pqbed.beds.docker.images import ensure_image

    recipe, _ = docker_contexts(on_step, ca_bundle)
    image = ensure_image(engine, recipe, lambda: prepare_base(on_step, ca_bundle), network, on_step)
    return {recipe.stack: image}
