import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pqbed.beds.docker.endpoint import DEFAULT_SOCKET, docker_endpoint
from pqbed.beds.docker.sdk import connect
from pqbed.beds.host_checks import probe_engine
from pqbed.errors import EngineError


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the Docker CLI's configuration a folder of its own, in which nothing is said yet."""
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def use_context(configuration: Path, name: str, host: str) -> None:
    """What `docker context create` and `docker context use` write."""
    meta = configuration / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoint}))
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


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"currentContext": "gone"}'])
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
