"""Images built by BuildKit, through the plug-in buildx of Docker's command line."""

from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import prepare_base
from pqbed.beds.docker.build_image import has_buildx
from pqbed.beds.docker.docker_sdk_engine import connect
from pqbed.beds.docker.images import IMAGE, ensure_image
from pqbed.errors import BuildError
from support.engines.buildx import put_buildx_first

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

DOCKERFILE = "ARG BASE\nFROM $BASE\nRUN echo made in /etc/hosts: $(wc -l < /etc/hosts) > /made && {command}\n"


class Recipe:
    """A small image on pqbed's base."""

    stack = "buildx"
    reference = "pqbed/buildx:test"
    build_args: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, folder: Path, command: str) -> None:
        self.folder = folder / "context"
        self.folder.mkdir()
        (self.folder / "Dockerfile").write_text(DOCKERFILE.format(command=command))


@pytest.fixture
def engine(private_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A new connection, which finds that buildx is there."""
    put_buildx_first(monkeypatch, tmp_path / "configuration")
    assert has_buildx()
    with connect(private_engine.endpoint) as engine:
        yield engine


def test_buildkit_builds_an_image_with_its_labels(engine: Any, tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, "true")
    identity = ensure_image(engine, recipe, prepare_base)
    try:
        assert any("buildkit" in layer["Comment"] for layer in engine._client.history(identity))
        details = engine._client.inspect_image(identity)
        assert recipe.reference in details["RepoTags"]
        assert details["Config"]["Labels"][IMAGE] == recipe.stack
        assert details["Config"]["Labels"]["org.opencontainers.image.base.digest"].startswith("sha256:")
    finally:
        assert engine.remove_image(recipe.reference)


def test_a_build_that_buildkit_cannot_finish_says_why_and_leaves_nothing(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as refused:
        ensure_image(engine, Recipe(tmp_path, "apt-get install -qy no-such-package"), prepare_base)
    assert any("Unable to locate package no-such-package" in line for line in refused.value.lines)
    assert engine.image_id(Recipe.reference) is None
