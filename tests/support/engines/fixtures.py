"""Engines for tests: the host's or one of our own, and one with netem anywhere; and the stack's image on both."""

import os
from pathlib import Path

import pytest

from pqbed.artefacts import docker_contexts, prepare_base
from pqbed.beds.docker.images import ensure_image
from pqbed.beds.docker.sdk import connect, connect_to
from pqbed.errors import EngineError
from pqbed.user_folders import cache_home
from support.engines import netem, private


@pytest.fixture(scope="session")
def private_engine():
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
    with private.private_engine_process() as engine, engine:
        yield engine


@pytest.fixture(scope="session")
def stack_image(private_engine):
    """The id of the stack's image on `private_engine`: loaded from the cache folder where it was built before."""
    recipe, _ = docker_contexts()
    tar = image_tar(recipe.reference)
    if private_engine.image_id(recipe.reference) is None and tar.exists():
        load_image(private_engine, tar)
    identity = ensure_image(private_engine, recipe, prepare_base)
    if not tar.exists():
        save_image(private_engine, recipe.reference, tar)
    return identity


@pytest.fixture(scope="session")
def netem_engine():
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


@pytest.fixture(scope="session")
def netem_image(request, netem_engine):
    """The id of the stack's image on `netem_engine`."""
    recipe, _ = docker_contexts()
    present = netem_engine.image_id(recipe.reference)
    if present is not None:
        return present
    tar = image_tar(recipe.reference)
    if not tar.exists():
        request.getfixturevalue("stack_image")
    load_image(netem_engine, tar)
    return netem_engine.image_id(recipe.reference)


def image_tar(reference: str) -> Path:
    """Where the test images are kept; those of earlier sources are removed."""
    folder = cache_home() / "tests" / "images"
    repository, _, tag = reference.replace("/", "-").partition(":")
    tar = folder / f"{repository}-{tag}.tar"
    if not tar.exists():
        for older in folder.glob(f"{repository}-{'?' * len(tag)}.tar"):
            older.unlink()
    return tar


def save_image(engine, reference, tar):
    """Write an image to a tar, whole or not at all."""
    tar.parent.mkdir(parents=True, exist_ok=True)
    partial = tar.with_suffix(".partial")
    with partial.open("wb") as out:
        out.writelines(engine._client.get_image(reference))
    partial.replace(tar)


def load_image(engine, tar):
    """Read an image from a tar."""
    with tar.open("rb") as data:
        engine._client.load_image(data)
