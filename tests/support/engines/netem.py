"""A Docker Engine whose kernel has netem, on a host whose kernel has none: inside a User-mode Linux guest.

The guest's kernel is that of the uml bed with images/uml/docker.config added, or one that a Debian suite ships
(package user-mode-linux); its root is Debian with docker.io; a tap device of this host leads to its port. For pqbed it
is a remote engine at a tcp:// address. Kernel and root are made once and kept in the cache folder: about 7 minutes with
a kernel of our own, 1 with Debian's.
"""

import collections
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import DockerException

from pqbed.artefacts.build_steps import Command, no_progress, run_commands
from pqbed.artefacts.cache_entries import building, hash_inputs
from pqbed.artefacts.debian_bootstrap import UNREAD, bootstrap, build_folder, require_bootstrap, work_hooks
from pqbed.artefacts.guest_kernel import kernel_entry, kernel_packages, kernel_work
from pqbed.artefacts.image_sources import SUITE
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.host_checks import exec_tmpfs
from pqbed.errors import HostError
from pqbed.user_folders import cache_home
from support.engines.private import wait_ready

FRAGMENTS = ("kernel.config", "docker.config")
PACKAGES = ("docker-cli", "docker.io", "iproute2", "iptables", "kmod", "procps")
INIT = Path(__file__).with_name("engine-init")
WHOLE_REGISTERS = Path(__file__).with_name("whole_registers.c")
TAP = "pqbed-engine"
# The last networks of the range for benchmarks: lanes count from its other end.
LAST_NETWORK = IPv4Address("198.19.255.252")
NETWORK_SIZE = 4
MEMORY = "3G"
START_TIMEOUT_S = 90
END_DOCKERD = "for each in /proc/[0-9]*; do [ $(cat $each/comm) != dockerd ] || kill ${each#/proc/}; done; sleep 60"
# $0 is the guest's root, $1 the kernel's folder. This host's C library may be older than the kernel's suite: it runs on
# that of the root, with this host's devices.
ENTER_ROOT = 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount --bind "$1" "$0/mnt" && shift'
ENTER_ROOT += ' && exec chroot "$0" "$@"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A tap device of this host and the addresses at its two ends. Guest `number` has one of its own."""

    number: int

    @property
    def name(self) -> str:
        return f"{TAP}{self.number}"

    @property
    def host(self) -> str:
        return str(LAST_NETWORK - NETWORK_SIZE * self.number + 1)

    @property
    def guest(self) -> str:
        return str(LAST_NETWORK - NETWORK_SIZE * self.number + 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestKernel:
    """A kernel that is a program: how to run it, and where it finds its root and its modules.

    Without a folder of modules everything is built in.
    """

    command: tuple[str, ...]
    root: str
    modules: str = ""


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
def netem_engine_guest(suite: str = "", number: int = 0) -> Iterator[DockerEngine]:
    """Boot guest `number` on our own kernel, or on a Debian suite's; yield a connection to its engine, end it."""
    kernel = debian_kernel(suite) if suite else guest_kernel()
    tap = Tap(number=number)
    host = f"tcp://{tap.guest}:2375"
    with _tap(tap), _booted(kernel, tap) as console, wait_ready(host, START_TIMEOUT_S, console) as engine:
        yield engine


def restart_dockerd(engine: DockerEngine, image: str) -> None:
    """End the dockerd of a guest, which starts it again, and wait until it answers; `image` has a shell."""
    client = engine._client
    host = client.create_host_config(privileged=True, pid_mode="host", network_mode="none")
    killer = client.create_container(image, ["sh", "-c", END_DOCKERD], user="0:0", host_config=host)["Id"]
    client.start(killer)
    deadline = time.monotonic() + START_TIMEOUT_S
    while (state := _state_of(client, killer)) is None or state["Running"]:
        assert time.monotonic() < deadline, "dockerd was not restarted"
        time.sleep(0.5)
    client.remove_container(killer, force=True)


def _state_of(client: Any, container: str) -> Any:
    """Return the state of a container; None while the engine does not answer."""
    try:
        return client.inspect_container(container)["State"]
    except (requests.RequestException, DockerException):
        return None


def guest_kernel() -> GuestKernel:
    """Return the kernel of our own, built first where the cache lacks it."""
    entry = kernel_entry(FRAGMENTS)
    with building(entry) as partial:
        if partial is not None:
            hooks = work_hooks(kernel_work(partial, FRAGMENTS))
            packages = kernel_packages()
            build = bootstrap("engine kernel", variant="apt", packages=packages, hooks=hooks, ca_bundle=None)
            run_commands([build], no_progress)
    return GuestKernel(command=(str(entry / "linux"),), root=str(guest_root()))


def debian_kernel(suite: str) -> GuestKernel:
    """Return the kernel that Debian's `suite` ships: 6.1 in bookworm, whose netem takes no seed; 6.12 in trixie.

    Skip the test where there is no C compiler: whole_registers.c is preloaded.
    """
    if shutil.which("cc") is None:
        pytest.skip("Debian's kernel as an engine's: no C compiler (cc)")
    entry = cache_home() / "tests" / f"uml-{suite}-{hash_inputs(WHOLE_REGISTERS)}"
    with building(entry) as partial:
        if partial is not None:
            # Unpacked, not installed: the package's dependencies are of no use here.
            fetch = ["--variant=extract", "--mode=root", "--include=user-mode-linux", suite, str(partial)]
            run_commands([Command(name="Debian's kernel", argv=["mmdebstrap", *fetch], env=_build_env())], no_progress)
            options = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror")
            preloaded = ["cc", *options, "-o", str(partial / "whole_registers.so"), str(WHOLE_REGISTERS)]
            run_commands([Command(name="whole registers", argv=preloaded)], no_progress)
    (modules,) = (entry / "usr/lib/uml/modules").iterdir()
    apart = ("unshare", "--mount", "sh", "-c", ENTER_ROOT, str(guest_root()), str(entry))
    inside = "/mnt" / modules.relative_to(entry)
    program = ("env", "LD_PRELOAD=/mnt/whole_registers.so", "/mnt/usr/bin/linux.uml")
    return GuestKernel(command=(*apart, *program), root="/", modules=str(inside))


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
        '--customize-hook=mkdir -p "$1/var/lib/docker" "$1/var/lib/containerd" "$1/lib/modules"',
        SUITE,
        str(target),
    ]
    return Command(name="engine root", argv=argv, env=_build_env())


def _build_env() -> dict[str, str]:
    return {"TMPDIR": str(build_folder())}


@contextmanager
def _tap(tap: Tap) -> Iterator[None]:
    _ip("tuntap", "add", "dev", tap.name, "mode", "tap")
    try:
        _ip("address", "add", f"{tap.host}/30", "dev", tap.name)
        _ip("link", "set", tap.name, "up")
        yield
    finally:
        _ip("link", "delete", tap.name)


@contextmanager
def _booted(kernel: GuestKernel, tap: Tap) -> Iterator[Any]:
    folder = (exec_tmpfs() or Path("/dev/shm")) / f"{tap.name}-{os.getpid()}"
    folder.mkdir()
    said: collections.deque[bytes] = collections.deque(maxlen=60)
    process = subprocess.Popen(
        [
            *(*kernel.command, f"mem={MEMORY}", "rootfstype=hostfs", f"rootflags={kernel.root}", "ro"),
            *("init=/sbin/engine-init", "seccomp=on", "con=null", "con0=fd:0,fd:1", "quiet"),
            *(f"vec0:transport=tap,ifname={tap.name}", f"guest_address={tap.guest}/30"),
            *((f"module_folder={kernel.modules}",) if kernel.modules else ()),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reader = threading.Thread(target=said.extend, args=(_without_dumps(process.stdout),), daemon=True)
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


def _without_dumps(console: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the stacks and calls under a kernel's panic: they would push out the line that says what it was."""
    return (line for line in console if not line.startswith(b" "))


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True)
