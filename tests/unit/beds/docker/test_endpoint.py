import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pqbed.beds.docker.docker_sdk_engine import connect
from pqbed.beds.docker.endpoint import DEFAULT_SOCKET, DockerEndpoint, docker_endpoint
from pqbed.beds.host_checks import probe_engine
from pqbed.errors import EngineError


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the Docker CLI's configuration a folder of its own, in which nothing is said yet."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def create_context(configuration: Path, name: str, host: str, *, skip_verify: bool = False) -> Path:
    """Write what `docker context create` writes; return where its certificates would be."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = configuration / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": host, "SkipTLSVerify": skip_verify}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoint}))
    return configuration / "contexts" / "tls" / digest / "docker"


def use_context(configuration: Path, name: str, host: str) -> None:
    """Write what `docker context create` and `docker context use` write."""
    create_context(configuration, name, host)
    (configuration / "config.json").write_text(json.dumps({"currentContext": name}))


def test_without_a_word_it_is_the_usual_socket() -> None:
    assert docker_endpoint().host == DEFAULT_SOCKET


def test_the_present_context_is_where_doctor_looks_and_where_the_bed_connects(
    configuration: Path, tmp_path: Path
) -> None:
    host = f"unix://{tmp_path}/colima.sock"
    use_context(configuration, "colima", host)
    assert docker_endpoint().host == host
    assert probe_engine().reason == f"{host}: No such file or directory"
    with pytest.raises(EngineError, match=host):
        connect()


def test_docker_host_goes_before_the_context(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_context(configuration, "colima", f"unix://{tmp_path}/colima.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/named.sock")
    assert docker_endpoint().host == f"unix://{tmp_path}/named.sock"
    assert probe_engine().reason.startswith(f"unix://{tmp_path}/named.sock")


def test_the_variable_goes_before_the_context_in_use_and_docker_host_before_both(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_context(configuration, "colima", "unix:///colima.sock")
    create_context(configuration, "remote", "tcp://192.0.2.1:2376")
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")
    assert docker_endpoint().host == "tcp://192.0.2.1:2376"
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert docker_endpoint().host == DEFAULT_SOCKET
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    assert docker_endpoint() == DockerEndpoint(host="ssh://elsewhere")


@pytest.mark.parametrize("named_by", ["variable", "configuration"])
def test_a_context_that_does_not_exist_is_an_error_as_for_the_docker_command(
    configuration: Path, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    if named_by == "variable":
        monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    else:
        (configuration / "config.json").write_text('{"currentContext": "gone"}')
    with pytest.raises(EngineError, match="there is no Docker context 'gone'") as refused:
        connect()
    assert "docker context ls" in refused.value.hint
    assert "there is no Docker context 'gone'" in probe_engine().reason


def test_certificates_of_a_context_are_its_own(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = create_context(configuration, "remote", "tcp://192.0.2.1:2376", skip_verify=True)
    folder.mkdir(parents=True)
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")
    endpoint = docker_endpoint()
    assert endpoint == DockerEndpoint(host="tcp://192.0.2.1:2376", tls_folder=str(folder), tls_verify=False)
    assert endpoint.environment == {
        "DOCKER_HOST": "tcp://192.0.2.1:2376",
        "DOCKER_CERT_PATH": str(folder),
        "DOCKER_TLS": "1",
    }


@pytest.mark.parametrize(
    ("variables", "tls_folder", "verifies"),
    [
        ({}, "", True),
        ({"DOCKER_CERT_PATH": "/certificates"}, "", True),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certificates"}, "/certificates", True),
        ({"DOCKER_TLS_VERIFY": "0", "DOCKER_CERT_PATH": "/certificates"}, "/certificates", True),
        ({"DOCKER_TLS": "1", "DOCKER_CERT_PATH": "/certificates"}, "/certificates", False),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": "/configuration"}, "/configuration", True),
    ],
)
def test_tls_is_turned_on_as_for_the_docker_command(variables: dict[str, str], tls_folder: str, verifies: bool) -> None:
    endpoint = docker_endpoint({"DOCKER_HOST": "tcp://192.0.2.1:2376", **variables})
    assert (endpoint.tls_folder, endpoint.tls_verify) == (tls_folder, verifies)


def test_missing_certificates_are_named(tmp_path: Path) -> None:
    endpoint = DockerEndpoint(host="tcp://192.0.2.1:2376", tls_folder=str(tmp_path))
    with pytest.raises(EngineError, match=r"certificates for tcp://192\.0\.2\.1:2376 are missing: ca\.pem") as refused:
        connect(endpoint)
    assert str(tmp_path) in refused.value.hint
    assert "ca.pem" in probe_engine(endpoint).reason


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_configuration_that_names_no_context_is_the_usual_socket(configuration: Path, text: str) -> None:
    (configuration / "config.json").write_text(text)
    assert docker_endpoint().host == DEFAULT_SOCKET


def test_the_sdk_is_not_loaded_to_find_that_nothing_is_named() -> None:
    asked = (
        "import sys; from pqbed.beds.docker.endpoint import docker_endpoint; docker_endpoint(); "
        "print('docker' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
