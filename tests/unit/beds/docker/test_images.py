"""Images: found, built, or refused with the end of what the builder said."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pqbed import __version__
from pqbed.artefacts import base_reference
from pqbed.beds.docker.build_image import ClassicBuild, build_with_buildx, has_buildx
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.endpoint import DockerEndpoint
from pqbed.beds.docker.images import BASE_REPOSITORY, DEBIAN, IMAGE, ensure_base, ensure_image
from pqbed.errors import BuildError, HostError
from support.fake_engine import FakeEngine


@dataclass(frozen=True)
class Recipe:
    stack: str = "openssl"
    reference: str = "pqbed/openssl:abc"
    folder: Path = Path("/context")
    build_args: dict[str, str] = field(default_factory=dict)


def make_base() -> Path:
    return Path(__file__)


def test_an_image_that_is_there_is_not_built() -> None:
    engine = FakeEngine(local_images={"pqbed/openssl:abc": "sha256:1"})
    assert ensure_image(engine, Recipe(), make_base) == "sha256:1"
    assert engine.calls == ["image_id"]


def test_a_missing_image_is_built_on_debian() -> None:
    engine = FakeEngine(pullable=(DEBIAN,))
    steps = []
    ensure_image(engine, Recipe(), make_base, on_step=lambda name, _: steps.append(name))
    _base, stack = engine.built
    assert stack == {"context": "/context", "BASE": base_of(engine)}
    assert steps == [f"fetching {DEBIAN}", "building pqbed/openssl:abc"]


def base_of(engine: FakeEngine) -> str:
    (reference,) = (name for name in engine.local_images if name.startswith(BASE_REPOSITORY))
    return reference


def test_an_image_says_what_it_is_and_what_it_was_built_on() -> None:
    engine = FakeEngine(pullable=(DEBIAN,))
    ensure_image(engine, Recipe(), make_base)
    own = engine.labelled["pqbed/openssl:abc"]
    assert own[IMAGE] == "openssl"
    assert own["org.opencontainers.image.version"] == __version__
    assert own["org.opencontainers.image.licenses"] == "Apache-2.0"
    base = engine.labelled[base_of(engine)]
    assert base[IMAGE] == "base"
    assert base["org.opencontainers.image.base.name"] == DEBIAN
    assert base["org.opencontainers.image.base.digest"] == f"sha256:{DEBIAN}"


def test_a_base_of_someone_else_is_labelled_too() -> None:
    engine = FakeEngine(local_images={"fedora:44": "sha256:3"})
    ensure_image(engine, Recipe(stack="oqs", build_args={"BASE": "fedora:44"}), make_base)
    assert engine.built[-1]["BASE"] == base_of(engine)
    assert engine.labelled[base_of(engine)]["org.opencontainers.image.base.name"] == "fedora:44"


def test_an_image_keeps_its_own_arguments() -> None:
    engine = FakeEngine(local_images={DEBIAN: "sha256:2"})
    ensure_image(engine, Recipe(build_args={"STACK": "pqbed/openssl:abc"}), make_base)
    assert engine.built[-1] == {"context": "/context", "STACK": "pqbed/openssl:abc", "BASE": base_of(engine)}


def test_without_a_registry_the_base_is_made_here_once() -> None:
    engine = FakeEngine()
    base = ensure_base(engine, make_base)
    assert engine.labelled[base]["org.opencontainers.image.base.name"] == base_reference()
    assert ensure_base(engine, make_base) == base
    assert engine.calls.count("import_image") == engine.calls.count("build_image") == 1


def test_without_a_registry_and_without_mmdebstrap_the_error_names_both() -> None:
    def refuse() -> Path:
        raise HostError("mmdebstrap is not installed", hint="apt install mmdebstrap")

    with pytest.raises(BuildError, match="mmdebstrap is not installed") as caught:
        ensure_base(FakeEngine(), refuse)
    assert "docker load" in caught.value.hint
    assert "apt install mmdebstrap" in caught.value.hint


def test_a_failed_build_shows_its_last_lines() -> None:
    answers = [{"stream": f"line {number}\n"} for number in range(40)] + [{"error": "exit code 100"}]
    with pytest.raises(BuildError) as caught:
        ClassicBuild("pqbed/openssl:abc").follow(answers)
    assert caught.value.lines[-2:] == ("line 39", "exit code 100")
    assert "line 20" not in caught.value.lines


def fake_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_buildx_is_asked_on_the_engine_that_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "another")
    fake_docker(tmp_path, monkeypatch, f'echo "$DOCKER_HOST $DOCKER_CONTEXT $DOCKER_CERT_PATH $@" > {tmp_path}/said')
    assert has_buildx()
    endpoint = DockerEndpoint(host="tcp://198.51.100.1:2376", tls_folder="/certificates")
    build_with_buildx(
        endpoint, Path("/context"), "pqbed/a:b", arguments={"BASE": DEBIAN}, labels={IMAGE: "a"}, network="host"
    )
    said = (tmp_path / "said").read_text()
    assert said == (
        "tcp://198.51.100.1:2376  /certificates buildx build --load --progress=plain --tag=pqbed/a:b "
        f"--label={IMAGE}=a --build-arg=BASE={DEBIAN} --network=host /context\n"
    )


def test_a_failed_buildx_build_shows_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch, "echo first; echo 'E: no such package' >&2; exit 1")
    assert not has_buildx()
    with pytest.raises(BuildError, match="the last lines") as caught:
        build_with_buildx(
            DockerEndpoint(host="unix:///x"), Path("/context"), "pqbed/a:b", arguments={}, labels={}, network=None
        )
    assert "E: no such package" in caught.value.lines


def test_images_that_podman_made_have_their_names_without_its_registry() -> None:
    class Podman:
        @staticmethod
        def images() -> list[dict[str, list[str] | None]]:
            return [{"RepoTags": ["localhost/pqbed/go:1", "other/pqbed/go:3"]}, {"RepoTags": None}]

    engine = DockerEngine(Podman(), DockerEndpoint(host="unix:///podman"))
    assert engine.images("pqbed/go:") == ["pqbed/go:1"]
