"""An engine behind TLS, by variables and by a context, whatever authorities the environment names for others."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from pqbed.beds.docker.docker_sdk_engine import connect
from pqbed.beds.docker.endpoint import docker_endpoint
from pqbed.beds.host_checks import probe_engine
from pqbed.errors import EngineError
from support.engines import private

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

START_TIMEOUT_S = 60
HOST = "tcp://127.0.0.1:23769"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(folder: Path, *argv: str) -> None:
    subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder as DOCKER_CERT_PATH wants it, with the server's own beside."""
    folder = tmp_path_factory.mktemp("certificates")
    openssl(folder, "req", "-x509", *KEY, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    for stem in ("server-", ""):
        openssl(folder, "req", *KEY, "-keyout", f"{stem}key.pem", "-out", "request", "-subj", f"/CN={stem}end")
        signing = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2", "-extfile", "extensions")
        openssl(folder, "x509", "-req", "-in", "request", *signing, "-out", f"{stem}cert.pem")
    return folder


@pytest.fixture(scope="module")
def tls_engine(certificates: Any) -> Iterator[None]:
    reason = private.missing()
    if reason:
        pytest.skip(reason)
    private.install()
    with tempfile.TemporaryDirectory(prefix="pqbed-engine-", dir="/var/tmp") as name:
        folder = Path(name)
        tls = ("--tlsverify", f"--tlscacert={certificates}/ca.pem", f"--tlscert={certificates}/server-cert.pem")
        argv = [*private.command(folder, HOST), *tls, f"--tlskey={certificates}/server-key.pem"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while b"API listen on" not in (folder / "log").read_bytes():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            process.wait(START_TIMEOUT_S)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    # Authorities for other programs, which the engine's own is not one of.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())


@pytest.mark.usefixtures("tls_engine")
def test_variables_name_the_certificates(certificates: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", HOST)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    assert probe_engine().reason == ""
    with connect() as engine:
        assert engine.facts().kernel == os.uname().release
    monkeypatch.delenv("DOCKER_TLS_VERIFY")
    assert "HTTP request to an HTTPS server" in probe_engine().reason


@pytest.mark.usefixtures("tls_engine")
def test_a_context_brings_its_certificates(certificates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(b"remote").hexdigest()
    meta, tls = (tmp_path / "contexts" / kind / digest for kind in ("meta", "tls"))
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": HOST, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": "remote", "Metadata": {}, "Endpoints": endpoint}))
    shutil.copytree(certificates, tls / "docker")
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")
    assert docker_endpoint().tls_folder == str(tls / "docker")
    with connect() as engine:
        assert engine.facts().kernel == os.uname().release


@pytest.mark.usefixtures("tls_engine")
def test_an_engine_with_another_authority_is_refused(
    certificates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "others"
    shutil.copytree(certificates, folder)
    openssl(folder, "req", "-x509", *KEY, "-keyout", "k.pem", "-out", "ca.pem", "-subj", "/CN=other", "-days", "2")
    monkeypatch.setenv("DOCKER_HOST", HOST)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(folder))
    with pytest.raises(EngineError, match="certificate verify failed"):
        connect()
