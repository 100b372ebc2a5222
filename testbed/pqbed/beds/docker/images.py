"""Docker images by the hash of their inputs: looked up, or built if missing; removed by their label.

Every image, and every leftover of a builder, inherits the label IMAGE from the base that all of them are built on.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pqbed import __version__
from pqbed.artefacts import OnStep, base_reference, no_progress
from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.beds.docker.engine_interface import Engine
from pqbed.errors import BuildError, HostError
from pqbed.owned_folders import owned_folder

IMAGE = "io.pqbed.image"
BASE_REPOSITORY = "pqbed/labelled-base"
DEBIAN = "debian:trixie-slim"
# Image Annotations of the OCI (opencontainers/image-spec, annotations.md).
OCI = "org.opencontainers.image"
LABELS = {
    f"{OCI}.licenses": "Apache-2.0",
    f"{OCI}.version": __version__,
}


class Recipe(Protocol):
    """Build recipe of an image; equal references mean equal inputs."""

    @property
    def stack(self) -> str: ...

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
    elif engine.image_id(arguments["BASE"]) is None or not arguments["BASE"].startswith("pqbed/"):
        _require_base(engine, arguments["BASE"], on_step)
        arguments["BASE"] = _labelled(engine, arguments["BASE"])
    on_step(f"building {recipe.reference}", None)
    engine.build_image(recipe.folder, recipe.reference, arguments, {**LABELS, IMAGE: recipe.stack})
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
    """Return the base image with our label: on Debian's own, or on one built on this host if it cannot be pulled."""
    own = base_reference()
    for reference in (DEBIAN, own):
        if engine.image_id(reference) is not None:
            return _labelled(engine, reference)
    on_step(f"fetching {DEBIAN}", None)
    if engine.pull_image(DEBIAN):
        return _labelled(engine, DEBIAN)
    on_step(f"{DEBIAN} cannot be pulled: building {own} from Debian's archive", None)
    try:
        tar = make_base()
    except HostError as error:
        raise BuildError(
            f"{DEBIAN} cannot be pulled, and cannot be built on this host: {error.message}",
            hint=f"make a registry reachable, or `docker load` the image {DEBIAN}; or: {error.hint}",
        ) from error
    engine.import_image(tar, own)
    return _labelled(engine, own)


def _labelled(engine: Engine, base: str) -> str:
    """Return `base` with our label and its digest, as an image of its own."""
    digest = engine.image_digest(base)
    reference = f"{BASE_REPOSITORY}:{hash_inputs(base, digest, __version__)}"
    if engine.image_id(reference) is None:
        labels = {**LABELS, IMAGE: "base", f"{OCI}.base.name": base, f"{OCI}.base.digest": digest}
        with owned_folder("base") as folder:
            (folder / "Dockerfile").write_text(f"FROM {base}\n", encoding="ascii")
            engine.build_image(folder, reference, {}, labels)
    return reference


def remove_images(engine: Engine) -> tuple[str, ...]:
    """Remove all images with our label and what builders left of them; return their names, or their ids.

    One that a container of someone else needs is kept.
    """
    removed: list[str] = []
    while images := engine.labelled_images(IMAGE):
        before = len(removed)
        for image_id, references in images.items():
            names = references or (image_id,)
            removed += [f"image {name}" for name in names if engine.remove_image(name)]
        if len(removed) == before:
            break
    own = base_reference()
    if engine.image_id(own) is not None and engine.remove_image(own):
        removed.append(f"image {own}")
    return tuple(removed)
