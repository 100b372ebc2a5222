"""Docker images by the hash of their inputs: looked up, or built if missing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pqbed.artefacts import OnStep, base_reference, no_progress
from pqbed.beds.docker.engine import Engine
from pqbed.errors import BuildError, HostError

REPOSITORY = "pqbed/"
DEBIAN = "debian:trixie-slim"


class Recipe(Protocol):
    """Build recipe of an image; equal references mean equal inputs."""

    @property
    def folder(self) -> Path: ...

    @property
    def reference(self) -> str: ...

    @property
    def build_args(self) -> Mapping[str, str]: ...


def ensure_image(
    engine: Engine,
    recipe: Recipe,
    make_base: Callable[[], Path],
    on_step: OnStep = no_progress,
) -> str:
    """Return the id of the recipe's image, built first if the engine lacks it.

    `make_base` makes a minimal Debian as a tar. Raises BuildError.
    """
    present = engine.image_id(recipe.reference)
    if present is not None:
        return present
    arguments = dict(recipe.build_args)
    if "BASE" not in arguments:
        arguments["BASE"] = ensure_base(engine, make_base, on_step)
    else:
        _require_base(engine, arguments["BASE"], on_step)
    on_step(f"building {recipe.reference}", None)
    engine.build_image(recipe.folder, recipe.reference, arguments)
    built = engine.image_id(recipe.reference)
    if built is None:
        raise BuildError(f"the engine built {recipe.reference} but does not have it")
    return built


def _require_base(engine: Engine, reference: str, on_step: OnStep) -> None:
    """Raise HostError if the engine neither has nor can pull the base image `reference`."""
    if engine.image_id(reference) is not None:
        return
    on_step(f"fetching {reference}", None)
    if not engine.pull_image(reference):
        raise HostError(
            f"this engine can pull {reference}, the base of this stack's image, from no registry",
            f"make a registry reachable, or run docker save {reference} on another host and docker load on this one",
        )


def ensure_base(engine: Engine, make_base: Callable[[], Path], on_step: OnStep = no_progress) -> str:
    """Return the base image of ours: Debian's own, or one built on this host if it cannot be pulled."""
    own = base_reference()
    for reference in (DEBIAN, own):
        if engine.image_id(reference) is not None:
            return reference
    on_step(f"fetching {DEBIAN}", None)
    if engine.pull_image(DEBIAN):
        return DEBIAN
    on_step(f"{DEBIAN} cannot be pulled: building {own} from Debian's archive", None)
    try:
        tar = make_base()
    except HostError as error:
        raise BuildError(
            f"{DEBIAN} cannot be pulled, and cannot be built on this host: {error.message}",
            hint=f"make a registry reachable, or `docker load` the image {DEBIAN}; or: {error.hint}",
        ) from error
    engine.import_image(tar, own)
    return own


def remove_images(engine: Engine) -> tuple[str, ...]:
    """Remove all our images; return their names."""
    references = tuple(engine.images(REPOSITORY))
    for reference in references:
        engine.remove_image(reference)
    return tuple(f"image {reference}" for reference in references)
