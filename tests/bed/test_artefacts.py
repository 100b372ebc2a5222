"""Boot the built kernel on the built root, as it is, and ask what is in it."""

import json
import os
import platform
import re
import shutil
import subprocess
from typing import Any

import pytest

from pqbed.artefacts import prepare_uml, put_source

pytestmark = [
    pytest.mark.uml,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="User-mode Linux needs x86-64"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed"),
]

# Runs as the guest's first process. Its answers go through a second hostfs mount, not through the console.
GUEST = """
import ctypes, gzip, json, os, subprocess, time

def run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()

os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
for kind, where in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
    run("mount", "-t", kind, kind, where)
began = time.monotonic()
time.sleep(1)
slept = time.monotonic() - began
import pycurl, pyroute2
run("ip", "link", "add", "name", "veth0", "type", "veth", "peer", "name", "veth1")
netem = run("tc", "qdisc", "add", "dev", "veth0", "root", "netem", "delay", "10ms", "seed", "1")
with open("/tmp/answers.json", "w") as out:
    json.dump({
        "kernel": os.uname().release,
        "slept": slept,
        "pycurl": pycurl.version,
        "pyroute2": pyroute2.__version__,
        "nginx": run("nginx", "-V"),
        "openssl": run("openssl", "version"),
        "kems": run("openssl", "list", "-kem-algorithms"),
        "signatures": run("openssl", "list", "-signature-algorithms"),
        "tc": run("tc", "-V"),
        "netem": netem,
        "qdisc": run("tc", "-j", "qdisc", "show", "dev", "veth0"),
        "congestion": open("/proc/sys/net/ipv4/tcp_available_congestion_control").read().split(),
        "config": gzip.open("/proc/config.gz", "rt").read(),
        "agent": sorted(os.listdir(os.environ["PYTHONPATH"].split(":")[0] + "/pqbed")),
    }, out)
ctypes.CDLL(None).reboot(0x4321FEDC)
"""


@pytest.fixture(scope="module")
def artefacts() -> Any:
    return prepare_uml(on_step=print)


@pytest.fixture(scope="module")
def answers(artefacts: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    shared = tmp_path_factory.mktemp("guest")
    (shared / "guest.py").write_text(GUEST)
    source = "/" + put_source(artefacts.root).relative_to(artefacts.root).as_posix()
    argv = [
        artefacts.kernel,
        "mem=256M",
        "rootfstype=hostfs",
        f"rootflags={artefacts.root}",
        "rw",
        "init=/bin/sh",
        f"PYTHONPATH={source}:/opt/pqbed/vendor",
        "PYTHONDONTWRITEBYTECODE=1",
        "time-travel=inf-cpu",
        "con=null",
        "con0=null,fd:1",
        "quiet",
        "--",
        "-c",
        f'"mount -t hostfs -o hostfs={shared} none /tmp && exec python3 /tmp/guest.py"',
    ]
    booted = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(shared), "TMPDIR": "/dev/shm"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    path = shared / "answers.json"
    assert path.exists(), booted.stdout + booted.stderr
    found = json.loads(path.read_text())
    shown = {name: text for name, text in found.items() if name != "config"}
    print(json.dumps(shown, indent=1))  # noqa: T201  pytest -s shows it
    return found


def test_openssl_is_one_with_post_quantum_algorithms(answers: Any) -> None:
    version = re.search(r"built with OpenSSL (\d+)\.(\d+)", answers["nginx"])
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (3, 5)
    assert re.search(r"OpenSSL/3\.([5-9]|\d\d)", answers["pycurl"])
    assert re.search(r"^OpenSSL 3\.([5-9]|\d\d)", answers["openssl"])
    for name in ("X25519MLKEM768", "ML-KEM-768"):
        assert name in answers["kems"]
    for name in ("ML-DSA-65", "SLH-DSA-SHA2-128s"):
        assert name in answers["signatures"]


def test_the_kernel_shapes_with_a_seed(answers: Any) -> None:
    assert answers["netem"] == ""
    (qdisc,) = json.loads(answers["qdisc"])
    assert (qdisc["kind"], qdisc["options"]["seed"]) == ("netem", 1)
    assert {"cubic", "bbr"} <= set(answers["congestion"])


def test_time_travels_and_tcp_counts_milliseconds(answers: Any) -> None:
    assert answers["slept"] == pytest.approx(1, abs=1e-3)
    assert "CONFIG_HZ=1000\n" in answers["config"]


def test_the_versions_are_those_reported(answers: Any, artefacts: Any) -> None:
    assert artefacts.kernel_version.startswith(answers["kernel"])
    assert answers["pyroute2"].startswith("0.9.")
    assert "agent" in answers["agent"]
