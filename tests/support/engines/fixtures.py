"""Engines for tests: the host's or one of our own, and one with netem anywhere; and the stack's image on both."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import docker_contexts, prepare_base, stack_contexts
from pqbed.beds.docker.docker_sdk_engine import DockerEngine, connect, connect_to
from pqbed.beds.docker.images import Recipe, ensure_image
from pqbed.errors import EngineError
from pqbed.user_folders import cache_home
from support.engines import netem, private


@pytest.fixture(scope="session")
def private_engine() -> Iterator[Any]:
    """The engine that answers here, else one of our own."""
    try:
        present = private.try_connect(connect)
    except EngineError:
        present = None
    if present is not None:
        with present:
            yield present
        return
    reason = private.missing()
    if reason:
        pytest.skip(reason)
    with private.private_engine_process() as process, process.start() as engine:
        yield engine


@pytest.fixture(scope="session")
def stack_image(private_engine: DockerEngine) -> Any:
    """The id of the stack's image on `private_engine`: loaded from the cache folder where it was built before."""
    recipe, _ = docker_contexts()
    return cached_image(private_engine, recipe)


def cached_image(engine: Any, recipe: Recipe) -> str:
    """Return the id of an image: loaded from the cache folder where it was built before, else built and kept there."""
    tar = image_tar(recipe.reference)
    if engine.image_id(recipe.reference) is None and tar.exists():
        load_image(engine, tar)
    identity = ensure_image(engine, recipe, prepare_base)
    if not tar.exists():
        save_image(engine, recipe.reference, tar)
    return identity


@pytest.fixture(scope="session")
def netem_engine() -> Iterator[Any]:
    """An engine whose containers can be shaped, whatever this host's kernel is: PQBED_TEST_NETEM_ENGINE, or a guest."""
    given = os.environ.get("PQBED_TEST_NETEM_ENGINE")
    if given:
        with connect_to(given) as engine:
            yield engine
        return
    reason = netem.missing()
    if reason:
        pytest.skip(reason)
    with netem.netem_engine_guest() as engine:
        yield engine


@pytest.fixture(scope="module")
def seedless_engine() -> Iterator[Any]:
    """An engine whose kernel has a netem that takes no seed: Debian 12's, 6.1."""
    reason = netem.missing()
    if reason:
        pytest.skip(reason)
    with netem.netem_engine_guest("bookworm", number=1) as engine:
        yield engine


@pytest.fixture(scope="session")
def netem_image(request: pytest.FixtureRequest, netem_engine: DockerEngine) -> Any:
    """The id of the stack's image on `netem_engine`."""
    return give_image(request, netem_engine)


@pytest.fixture(scope="session")
def chrome_image(request: pytest.FixtureRequest, netem_engine: DockerEngine, netem_image: str) -> Any:
    """The id of the image of the stack `chrome` on `netem_engine`, which has the one that it is built on."""
    assert netem_image
    *_, recipe = stack_contexts(("chrome",))
    if netem_engine.image_id(recipe.reference) is None:
        if not image_tar(recipe.reference).exists():
            for below in stack_contexts(("chrome",)):
                cached_image(request.getfixturevalue("private_engine"), below)
        load_image(netem_engine, image_tar(recipe.reference))
    return netem_engine.image_id(recipe.reference)


def give_image(request: Any, engine: Any) -> Any:
    """Give an engine the stack's image, from the cache folder or another engine; return its id."""
    recipe, _ = docker_contexts()
    present = engine.image_id(recipe.reference)
    if present is not None:
        return present
    tar = image_tar(recipe.reference)
    if not tar.exists():
        request.getfixturevalue("stack_image")
    load_image(engine, tar)
    return engine.image_id(recipe.reference)


def image_tar(reference: str) -> Path:
    """Where the test images are kept; those of earlier sources are removed."""
    folder = cache_home() / "tests" / "images"
    repository, _, tag = reference.replace("/", "-").partition(":")
    tar = folder / f"{repository}-{tag}.tar"
    if not tar.exists():
        for older in folder.glob(f"{repository}-{'?' * len(tag)}.tar"):
            older.unlink()
    return tar


def save_image(engine: Any, reference: Any, tar: Any) -> None:
    """Write an image to a tar, whole or not at all."""
    tar.parent.mkdir(parents=True, exist_ok=True)
    partial = tar.with_suffix(".partial")
    with partial.open("wb") as out:
        out.writelines(engine._client.get_image(reference))
    partial.replace(tar)


def load_image(engine: Any, tar: Any) -> None:
    """Read an image from a tar."""
    with tar.open("rb") as data:
        engine._client.load_image(data)
