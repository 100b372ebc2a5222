"""What a lane can reach of the host: nothing but its own root, which it cannot change."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import prepare_root
from pqbed.beds import confine_process
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.uml_container import open_uml_process
from pqbed.beds.lane_process import CONFINE
from pqbed.beds.make_bed import GUEST_KERNEL, GUEST_SOURCE
from pqbed.beds.uml.guest_kernel_arguments import kernel_arguments
from support.escape import escape_script
from support.guest import Guest

pytestmark = [pytest.mark.uml, pytest.mark.timeout(600)]

PYTHON = (sys.executable, "-I", "-S")
# Programs that confine and start the guest, by name: the product's, and each of its ways alone.
ONLY = "import sys; sys.path.insert(0, {folder!r}); import confine_process; "
ONLY += "confine_process.CONFINEMENTS = (confine_process.{way},); "
RUN = "confine_process.main(sys.argv[1:])"


def only(way: str) -> tuple[str, ...]:
    return (*PYTHON, "-c", ONLY.format(folder=str(Path(CONFINE).parent), way=way) + RUN)


STARTS = {
    "as started": (*PYTHON, CONFINE),
    "landlock": only("restrict_by_landlock"),
    "without privilege": ("unshare", "--user", "--map-user=1234", "--map-group=1234", *only("enter_namespaces")),
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("of the host\n")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    return path


def boot_line(secret: Path) -> list[str]:
    """The product's own kernel arguments, with another program than the agent as the first process."""
    arguments = list(kernel_arguments(GUEST_SOURCE, 0, "virtual"))
    return [*arguments[: arguments.index("--")], "--", "-c", escape_script(str(secret), str(secret.with_name("out")))]


def run(argv: Sequence[str]) -> dict[str, object]:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout[-500:] + done.stderr[-500:]
    answer: dict[str, object] = json.loads(lines[0])
    return answer


@pytest.mark.parametrize("start", STARTS)
def test_a_guest_cannot_leave_its_root_or_change_it(uml_guest: Guest, start: str, secret: Path, tmp_path: Path) -> None:
    if start == "landlock" and confine_process._libc.syscall(confine_process._CREATE_RULESET, None, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    work = tmp_path / "work"
    work.mkdir()
    answer = run([*STARTS[start], "guest", str(uml_guest.root), str(uml_guest.kernel), str(work), *boot_line(secret)])
    assert answer["escapes"] == []
    assert not secret.with_name("out").exists()


def test_the_attempts_succeed_from_a_guest_that_is_not_confined(uml_guest: Guest, secret: Path) -> None:
    # `hostfs=` alone does not stop `..`; reading only, so that nothing is written to a cached root.
    argv = [str(uml_guest.kernel), f"hostfs={uml_guest.root}", "uml_dir=/dev/shm/", *boot_line(secret)]
    answer = run(
        ["unshare", "--mount", "sh", "-c", 'mount --bind -o ro "$0" "$0" && exec "$@"', str(uml_guest.root), *argv]
    )
    assert f"read {secret} through /../../../../../../../../../.." in str(answer["escapes"])


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces of this kind need root")
def test_a_lane_in_namespaces_sees_its_root_alone(secret: Path) -> None:
    script = escape_script(str(secret), str(secret.with_name("out")))
    # Without the mounts of a guest: hostfs is a file system of User-mode Linux.
    apart = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    answer = run([*apart, *PYTHON, CONFINE, "root", str(prepare_root()), "/usr/bin/python3", "-c", script])
    assert answer["escapes"] == []
    assert not secret.with_name("out").exists()


@pytest.mark.docker
def test_a_guest_in_a_container_cannot_leave_it(private_engine: DockerEngine, guest_image: Any, secret: Path) -> None:
    process = open_uml_process(private_engine, guest_image, (GUEST_KERNEL, *boot_line(secret)))
    try:
        lines = list(iter(lambda: process.readline(120), ""))
    finally:
        process.close()
    (answer,) = [json.loads(line) for line in lines if line.startswith("{")]
    # The image's own /etc/shadow is not readable by its user, who is not root.
    assert answer["escapes"] == []
    assert not secret.with_name("out").exists()
