"""Images: found by the hash of their inputs, built where they are missing."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pqbed.beds.docker.engine import Engine
from pqbed.errors import BuildError

REPOSITORY = "pqbed/"
DEBIAN = "debian:trixie-slim"
# The same, made on this host, for engines that reach no registry.
OWN_BASE = "pqbed/base:trixie"


class Recipe(Protocol):
    """What an image is built from; equal references mean equal inputs."""

    @property
    def folder(self) -> Path: ...

    @property
    def reference(self) -> str: ...

    @property
    def build_args(self) -> Mapping[str, str]: ...


class MakeBase(Protocol):
    """Makes a minimal Debian as a tar file."""

    def __call__(self, tar: Path) -> None: ...


def ensure_image(
    engine: Engine,
    recipe: Recipe,
    make_base: MakeBase,
    network: str | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> str:
    """Return the id of the recipe's image, built first where the engine lacks it.

    `network` is that of the build's commands, None the engine's default. Raises BuildError.
    """
    found = engine.image_id(recipe.reference)
    if found is not None:
        return found
    arguments = {**recipe.build_args, "BASE": ensure_base(engine, make_base, on_step)}
    on_step(f"building {recipe.reference}")
    engine.build_image(recipe.folder, recipe.reference, arguments, network)
    built = engine.image_id(recipe.reference)
    if built is None:
        raise BuildError(f"the engine built {recipe.reference} but does not have it")
    return built


def ensure_base(engine: Engine, make_base: MakeBase, on_step: Callable[[str], None] = lambda _: None) -> str:
    """Return the image that ours are built on: Debian's own, or one made here where that cannot be had."""
    for reference in (DEBIAN, OWN_BASE):
        if engine.image_id(reference) is not None:
            return reference
    on_step(f"fetching {DEBIAN}")
    if engine.pull_image(DEBIAN):
        return DEBIAN
    on_step(f"no registry gives {DEBIAN}: making {OWN_BASE} from Debian's archive")
    if shutil.which("mmdebstrap") is None:
        raise BuildError(
            f"{DEBIAN} cannot be fetched, and mmdebstrap, which could make one like it, is not installed",
            hint=f"make a registry reachable, `docker load` the image {DEBIAN}, or: apt install mmdebstrap",
        )
    with tempfile.TemporaryDirectory(prefix="pqbed-base-", dir="/var/tmp") as folder:
        tar = Path(folder) / "base.tar"
        make_base(tar)
        engine.import_image(tar, OWN_BASE)
    return OWN_BASE


def remove_images(engine: Engine) -> int:
    """Remove all images of ours and return how many there were."""
    references = engine.images(REPOSITORY)
    for reference in references:
        engine.remove_image(reference)
    return len(references)
