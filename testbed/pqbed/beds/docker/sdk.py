"""Container engine through the Docker SDK: Docker, Docker Desktop, Podman's socket; local or remote."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from pqbed.beds.docker.build import ClassicBuild, build_with_buildx, has_buildx
from pqbed.beds.docker.connection import open_connection
from pqbed.beds.docker.endpoint import absent_socket, docker_endpoint
from pqbed.beds.docker.engine import ContainerConnection, ContainerSpec, EngineFacts, NetworkSpec, ObjectKind, Owned
from pqbed.beds.docker.request import container_arguments, network_arguments
from pqbed.errors import EngineError

REQUEST_TIMEOUT_S = 120
REMOVAL_TIMEOUT_S = 60
REMOVAL_STEP_S = 0.05
BUILD_SILENCE_S = 1800
LAST_LINES = 10
# From this version on a MAC address belongs to the endpoint, and the container's own field is refused.
ENDPOINT_MAC_API = (1, 44)


def connect() -> "DockerEngine":
    """Connect to the configured engine (endpoint.py). Raises EngineError if none answers."""
    endpoint = docker_endpoint()
    return connect_to(endpoint.host, endpoint.tls)


def connect_to(host: str, tls: Any = None) -> "DockerEngine":
    """Connect to the engine at `host` (unix://, tcp://, ssh://; "": the usual socket)."""
    if absent := absent_socket(host):
        raise _no_engine(host, absent)
    try:
        client = docker.APIClient(
            base_url=host or None,
            tls=tls or False,
            version="auto",
            timeout=REQUEST_TIMEOUT_S,
            use_ssh_client=host.startswith("ssh://"),
        )
    except (DockerException, requests.RequestException, OSError) as error:
        raise _no_engine(host, _reason(error)) from error
    return DockerEngine(client, host)


def _no_engine(host: str, reason: str) -> EngineError:
    return EngineError(
        f"no container engine answers{' at ' + host if host else ''}: {reason}",
        hint="start Docker, or set DOCKER_HOST; --bed uml needs no engine",
    )


class DockerEngine:
    """An `Engine` (engine.py). Owns the client's connections."""

    def __init__(self, client: Any, host: str) -> None:
        """`host` is what DOCKER_HOST would be for this engine, "" for the usual socket."""
        self._client = client
        self.host = host
        self._buildx: bool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def facts(self) -> EngineFacts:
        with _translate_errors("reporting its version"):
            version, info = self._client.version(), self._client.info()
        return EngineFacts(
            name=(version.get("Platform") or {}).get("Name") or "Docker Engine",
            version=version.get("Version", ""),
            kernel=info.get("KernelVersion", ""),
            host=info.get("Name", ""),
        )

    def image_id(self, reference: str) -> str | None:
        with _translate_errors(f"looking for the image {reference}"):
            try:
                return str(self._client.inspect_image(reference)["Id"])
            except ImageNotFound:
                return None

    def pull_image(self, reference: str) -> bool:
        repository, _, tag = reference.partition(":")
        try:
            self._client.pull(repository, tag=tag or "latest")
        except (DockerException, requests.RequestException):
            return False
        return self.image_id(reference) is not None

    def import_image(self, tar: Path, reference: str) -> None:
        repository, _, tag = reference.partition(":")
        with _translate_errors(f"importing {reference}"):
            self._client.import_image_from_file(str(tar), repository=repository, tag=tag)

    def build_image(self, context: Path, reference: str, arguments: Mapping[str, str]) -> None:
        network = self._build_network()
        if self._buildx is None:
            self._buildx = has_buildx()
        if self._buildx:
            build_with_buildx(self.host, context, reference, arguments, network)
            return
        with _translate_errors(f"building {reference}"):
            answers = self._client.build(
                path=str(context),
                tag=reference,
                buildargs=dict(arguments),
                network_mode=network,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=BUILD_SILENCE_S,
            )
            ClassicBuild(reference).follow(answers)

    def images(self, prefix: str) -> Sequence[str]:
        with _translate_errors("listing images"):
            images = self._client.images()
        return sorted(tag for image in images for tag in image.get("RepoTags") or () if tag.startswith(prefix))

    def remove_image(self, reference: str) -> None:
        with _translate_errors(f"removing the image {reference}"), suppress(NotFound):
            self._client.remove_image(reference)

    def create_network(self, spec: NetworkSpec) -> str:
        with _translate_errors(f"creating the network {spec.name}"):
            return str(self._client.create_network(**network_arguments(spec))["Id"])

    def create_container(self, spec: ContainerSpec) -> str:
        version = tuple(int(part) for part in self._client.api_version.split("."))
        arguments = container_arguments(self._client, spec, endpoint_mac=version >= ENDPOINT_MAC_API)
        with _translate_errors(f"creating the container {spec.name or spec.image}"):
            return str(self._client.create_container(**arguments)["Id"])

    def start_container(self, container: str) -> None:
        with _translate_errors("starting a container"):
            self._client.start(container)

    def find(self, kind: ObjectKind, labels: Mapping[str, str | None]) -> Sequence[Owned]:
        wanted = {"label": [name if value is None else f"{name}={value}" for name, value in labels.items()]}
        with _translate_errors(f"listing {kind}s"):
            if kind == "container":
                ids = [item["Id"] for item in self._client.containers(all=True, filters=wanted)]
                return [owned for container in ids if (owned := self._owned_container(container)) is not None]
            if kind == "network":
                networks = self._client.networks(filters=wanted)
                return [Owned(kind=kind, id=item["Id"], name=item["Name"], labels=item["Labels"]) for item in networks]
            volumes = self._client.volumes(filters=wanted)["Volumes"] or ()
            return [Owned(kind=kind, id=item["Name"], name=item["Name"], labels=item["Labels"]) for item in volumes]

    def remove(self, thing: Owned) -> None:
        with _translate_errors(f"removing the {thing.kind} {thing.name}"), suppress(NotFound):
            if thing.kind == "container":
                self._remove_container(thing.id)
            elif thing.kind == "network":
                self._client.remove_network(thing.id)
            else:
                self._client.remove_volume(thing.id, force=True)

    def last_words(self, container: str) -> str:
        with suppress(DockerException, requests.RequestException):
            log: bytes = self._client.logs(container, tail=LAST_LINES)
            return log.decode(errors="replace").strip()
        return ""

    def execute(self, container: str, argv: Sequence[str]) -> ContainerConnection:
        with _translate_errors(f"starting {argv[0]} in a container"):
            run = self._client.exec_create(container, list(argv), stdin=True)
            return open_connection(self._client.exec_start(run["Id"], socket=True))

    def attach(self, container: str) -> ContainerConnection:
        with _translate_errors("attaching to a container"):
            streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            return open_connection(self._client.attach_socket(container, params=streams))

    def _build_network(self) -> str | None:
        """Return None for the engine's default, or the host's network if the engine has no bridge."""
        with _translate_errors("listing networks"):
            present = {network["Name"] for network in self._client.networks()}
        return None if "bridge" in present else "host"

    def _owned_container(self, container: str) -> Owned | None:
        try:
            details = self._client.inspect_container(container)
        except NotFound:
            return None  # removed in the meantime
        return Owned(
            kind="container",
            id=details["Id"],
            name=details["Name"].lstrip("/"),
            labels=details["Config"]["Labels"] or {},
            running=bool(details["State"]["Running"]),
            image=details["Image"],
            busy=bool(details.get("ExecIDs")),
        )

    def _remove_container(self, container: str) -> None:
        try:
            self._client.remove_container(container, force=True, v=True)
        except APIError as error:
            # 409: it is already being removed (auto-remove, or someone else). It is gone when it cannot be found.
            if error.status_code != requests.codes.conflict:
                raise
        deadline = time.monotonic() + REMOVAL_TIMEOUT_S
        while time.monotonic() < deadline:
            self._client.inspect_container(container)
            time.sleep(REMOVAL_STEP_S)
        raise EngineError(f"the engine does not finish removing the container {container[:12]}")


@contextmanager
def _translate_errors(doing: str) -> Iterator[None]:
    """Raise EngineError in place of the errors of the SDK."""
    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        hint = ""
        if "overlaps" in str(error):
            hint = "another network has these addresses: docker network ls; `pqbed down` removes pqbed's own"
        raise EngineError(f"the engine failed at {doing}: {_reason(error)}", hint=hint) from error


def _reason(error: Exception) -> str:
    if isinstance(error, APIError) and error.explanation:
        return str(error.explanation)
    return str(error)
