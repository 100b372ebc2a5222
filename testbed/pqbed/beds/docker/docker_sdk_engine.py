"""Container engine through the Docker SDK: Docker, Docker Desktop, Podman's socket; local or remote."""

import datetime as dt
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from pqbed.beds.docker.api_arguments import container_arguments, network_arguments
from pqbed.beds.docker.build_image import ClassicBuild, build_with_buildx, has_buildx
from pqbed.beds.docker.endpoint import DockerEndpoint, absent_socket, docker_endpoint
from pqbed.beds.docker.engine_interface import (
    ContainerConnection,
    ContainerSpec,
    EngineFacts,
    NetworkSpec,
    ObjectKind,
    Owned,
    TakenError,
)
from pqbed.beds.docker.error_words import words_of
from pqbed.beds.docker.exec_connection import open_connection
from pqbed.errors import EngineError
from pqbed.units import NS_PER_S

REQUEST_TIMEOUT_S = 120
REMOVAL_TIMEOUT_S = 60
REMOVAL_STEP_S = 0.05
BUILD_SILENCE_S = 1800
LAST_LINES = 10
# From this version on a MAC address belongs to the endpoint, and the container's own field is refused.
ENDPOINT_MAC_API = (1, 44)
UNTAGGED = "<none>:<none>"
LOCAL_REGISTRY = "localhost/"
# What Docker and Podman say of a name or of addresses that are in use.
TAKEN = ("overlaps", "already used", "already in use", "already exists")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")


def connect(endpoint: DockerEndpoint | None = None) -> "DockerEngine":
    """Connect to the engine at `endpoint`, by default the configured one. Raises EngineError if none answers."""
    endpoint = endpoint or docker_endpoint()
    host = endpoint.host
    if absent := absent_socket(host):
        raise _no_engine(host, absent)
    try:
        client = open_client(endpoint, REQUEST_TIMEOUT_S)
    except (DockerException, requests.RequestException, OSError) as error:
        raise _no_engine(host, words_of(error)) from error
    return DockerEngine(client, endpoint)


def open_client(endpoint: DockerEndpoint, timeout_s: int) -> Any:
    """Return a client of the SDK. Raises EngineError for missing certificates, and what the SDK raises."""
    return _Client(
        base_url=endpoint.host,
        tls=endpoint.tls_config(),
        version="auto",
        timeout=timeout_s,
        use_ssh_client=endpoint.host.startswith("ssh://"),
    )


class _Client(docker.APIClient):  # type: ignore[misc]
    """The SDK's client, for which the endpoint's authority goes before REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """See requests.Session, which puts the environment's authorities before the session's own."""
        return super().merge_environment_settings(url, proxies, stream, self.verify if verify is None else verify, cert)


def connect_to(host: str) -> "DockerEngine":
    """Connect to the engine at `host` (unix://, tcp://, ssh://), without TLS."""
    return connect(DockerEndpoint(host=host))


def _no_engine(host: str, reason: str) -> EngineError:
    return EngineError(
        f"no container engine answers at {host}: {reason}",
        hint="start Docker, or set DOCKER_HOST; --bed uml needs no engine",
    )


class DockerEngine:
    """An `Engine` (engine.py). Owns the client's connections."""

    def __init__(self, client: Any, endpoint: DockerEndpoint) -> None:
        self._client = client
        self.endpoint = endpoint
        self._buildx: bool | None = None

    @property
    def host(self) -> str:
        """What DOCKER_HOST would be for this engine."""
        return self.endpoint.host

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
        with _translate_errors(f"importing {reference}"):
            # The tag as part of the repository, which Docker allows: Podman 4.3 ignores it as a parameter of its own.
            self._client.import_image_from_file(str(tar), repository=reference)

    def build_image(
        self, context: Path, reference: str, arguments: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        network = self._build_network()
        if self._buildx is None:
            self._buildx = has_buildx()
        if self._buildx:
            build_with_buildx(self.endpoint, context, reference, arguments=arguments, labels=labels, network=network)
            return
        with _translate_errors(f"building {reference}"):
            answers = self._client.build(
                path=str(context),
                tag=reference,
                buildargs=dict(arguments),
                labels=dict(labels),
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
        # Podman puts the name of a registry before its own images.
        tags = [tag.removeprefix(LOCAL_REGISTRY) for image in images for tag in image.get("RepoTags") or ()]
        return sorted(tag for tag in tags if tag.startswith(prefix))

    def labelled_images(self, label: str) -> Mapping[str, tuple[str, ...]]:
        with _translate_errors("listing images"):
            images = self._client.images(filters={"label": label})
        return {image["Id"]: tuple(tag for tag in image.get("RepoTags") or () if tag != UNTAGGED) for image in images}

    def image_digest(self, reference: str) -> str:
        with _translate_errors(f"looking for the image {reference}"):
            details = self._client.inspect_image(reference)
        digests = details.get("RepoDigests") or ()
        return str(digests[0].partition("@")[2] if digests else details["Id"])

    def remove_image(self, reference: str) -> bool:
        with _translate_errors(f"removing the image {reference}"):
            try:
                self._client.remove_image(reference)
            except NotFound:
                return True  # removed with another one
            except APIError as error:
                if error.status_code != requests.codes.conflict:
                    raise
                return False
        return True

    def subnets(self) -> Sequence[str]:
        with _translate_errors("listing networks"):
            networks = self._client.networks()
        ranges = [part for network in networks for part in (network.get("IPAM") or {}).get("Config") or ()]
        return [part["Subnet"] for part in ranges if part.get("Subnet")]

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

    def ran_out_of_memory(self, container: str) -> bool:
        with suppress(DockerException, requests.RequestException):
            return bool(self._client.inspect_container(container)["State"].get("OOMKilled"))
        return False

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
            started_ns=_ns_since_1970(details["State"].get("StartedAt") or ""),
            networks=tuple((details.get("NetworkSettings") or {}).get("Networks") or {}),
            image=details["Image"],
            busy=any(self._runs(program) for program in details.get("ExecIDs") or ()),
        )

    def _runs(self, program: str) -> bool:
        """Return whether what `execute` started still runs: Podman lists for a while what has ended."""
        try:
            return bool(self._client.exec_inspect(program)["Running"])
        except NotFound:
            return False

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
        taken = doing.startswith("creating") and any(words in str(error) for words in TAKEN)
        kind = TakenError if taken else EngineError
        raise kind(f"the engine failed at {doing}: {words_of(error)}") from error


def _ns_since_1970(text: str) -> int:
    """Return an RFC 3339 time in ns, of which Python's own parser reads microseconds only; 0 if it is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return 0
    second, fraction, zone = match.groups()
    moment = dt.datetime.fromisoformat(second + zone.replace("Z", "+00:00"))
    return int(moment.timestamp()) * NS_PER_S + int((fraction or "0").ljust(9, "0"))
