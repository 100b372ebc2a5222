"""A Docker Engine whose kernel has netem, on a host whose kernel has none: inside a User-mode Linux guest.

The guest's kernel is that of the uml bed with images/uml/docker.config added; its root is Debian with docker.io; a
tap device of this host leads to its port. For pqbed it is a remote engine at a tcp:// address. Kernel and root are
made once (about 7 minutes) and kept in the cache folder.
"""

import collections
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pqbed.artefacts.bootstrap import UNREAD, bootstrap, build_folder, require_bootstrap
from pqbed.artefacts.build_steps import Command, no_progress, run_commands
from pqbed.artefacts.cache import building, hash_inputs
from pqbed.artefacts.image_sources import SUITE
from pqbed.artefacts.kernel import kernel_entry, kernel_hooks, kernel_packages
from pqbed.beds.docker.sdk import DockerEngine
from pqbed.beds.host_checks import exec_tmpfs
from pqbed.errors import HostError
from pqbed.user_folders import cache_home
from support.engines.private import wait_ready

FRAGMENTS = ("kernel.config", "docker.config")
PACKAGES = ("docker-cli", "docker.io", "iproute2", "iptables", "procps")
INIT = Path(__file__).with_name("engine-init")
TAP = "pqbed-engine"
# The last network of the range for benchmarks: lanes count from its other end.
HOST_ADDRESS = "198.19.255.253"
GUEST_ADDRESS = "198.19.255.254"
MEMORY = "3G"
START_TIMEOUT_S = 90


def missing() -> str:
    """Say what this host lacks for it, "" for nothing."""
    if os.geteuid() != 0:
        return "an engine in a guest needs root (for a tap device)"
    if not Path("/dev/net/tun").exists():
        return "an engine in a guest needs /dev/net/tun"
    try:
        require_bootstrap()
    except HostError as error:
        return f"an engine in a guest: {error.message}"
    return ""


@contextmanager
def netem_engine_guest() -> Iterator[DockerEngine]:
    """Boot the guest, yield a connection to its engine, end it."""
    kernel, root = guest_kernel(), guest_root()
    host = f"tcp://{GUEST_ADDRESS}:2375"
    with _tap(), _booted(kernel, root) as console, wait_ready(host, START_TIMEOUT_S, console) as engine:
        yield engine


def guest_kernel() -> Path:
    """Return the kernel, built first where the cache lacks it."""
    entry = kernel_entry(FRAGMENTS)
    with building(entry) as partial:
        if partial is not None:
            hooks = kernel_hooks(partial, FRAGMENTS)
            packages = kernel_packages()
            build = bootstrap("engine kernel", variant="apt", packages=packages, hooks=hooks, ca_bundle=None)
            run_commands([build], no_progress)
    return entry / "linux"


def guest_root() -> Path:
    """Return the root, made first where the cache lacks it."""
    entry = cache_home() / "tests" / f"engine-root-{hash_inputs(SUITE, *PACKAGES, *UNREAD, INIT)}"
    with building(entry) as partial:
        if partial is not None:
            run_commands([_root_command(partial)], no_progress)
    return entry


def _root_command(target: Path) -> Command:
    argv = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD),
        '--aptopt=APT::Install-Recommends "false"',
        f"--customize-hook=upload {INIT} /sbin/engine-init",
        '--customize-hook=chmod 755 "$1/sbin/engine-init"',
        '--customize-hook=mkdir -p "$1/var/lib/docker" "$1/var/lib/containerd"',
        SUITE,
        str(target),
    ]
    return Command(name="engine root", argv=argv, env={"TMPDIR": str(build_folder())})


@contextmanager
def _tap() -> Iterator[None]:
    _ip("tuntap", "add", "dev", TAP, "mode", "tap")
    try:
        _ip("address", "add", f"{HOST_ADDRESS}/30", "dev", TAP)
        _ip("link", "set", TAP, "up")
        yield
    finally:
        _ip("link", "delete", TAP)


@contextmanager
def _booted(kernel: Path, root: Path):
    folder = (exec_tmpfs() or Path("/dev/shm")) / f"pqbed-engine-{os.getpid()}"
    folder.mkdir()
    said = collections.deque(maxlen=60)
    process = subprocess.Popen(
        [
            *(str(kernel), f"mem={MEMORY}", "rootfstype=hostfs", f"rootflags={root}", "ro", "init=/sbin/engine-init"),
            *("seccomp=on", "con=null", "con0=fd:0,fd:1", "quiet"),
            *(f"vec0:transport=tap,ifname={TAP}", f"guest_address={GUEST_ADDRESS}/30"),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    reader = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        yield lambda: (b"".join(said).decode(errors="replace"), process.poll() is not None)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(10)
        process.stdin.close()
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True)
