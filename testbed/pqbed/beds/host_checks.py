"""Which beds this host can run, and the cure where it cannot. Looks, and changes nothing."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqbed.beds.bed import BedName
from pqbed.beds.docker.endpoint import absent_socket, engine_place
from pqbed.beds.netem_check import kernel_has_netem

UML_MACHINES = ("x86_64", "amd64")
PROBED_LATER = "(whether it has sch_netem is probed in a container)"
UML_TOOLS = ("mmdebstrap",)
ENGINE_TIMEOUT_S = 5
NETEM_CURE = (
    "install the kernel's extra modules (Debian, Ubuntu: linux-modules-extra-$(uname -r); Fedora: kernel-modules-extra)"
    " and run `modprobe sch_netem`, or use --bed uml, which brings its own kernel"
)
ENGINE_CURE = "start Docker (or Podman's compatible socket), or point DOCKER_HOST at an engine; or use --bed uml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether `bed` can run here: `found` says what was seen, `cure` what to do where it cannot."""

    bed: BedName
    usable: bool
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A container engine that answered. `netem` None: its kernel could not be asked without a container."""

    version: str
    api: str
    kernel: str
    machine: str
    netem: bool | None


def find_engine() -> Engine | str:
    """Ask the engine that `beds/docker/sdk.py` would take. Returns why not where none answers."""
    place = engine_place()
    if absent := absent_socket(place.host):
        return f"{place.host}: {absent}"
    import docker
    import docker.errors

    try:
        client = docker.DockerClient(
            base_url=place.host,
            tls=place.tls or False,
            timeout=ENGINE_TIMEOUT_S,
            use_ssh_client=place.host.startswith("ssh://"),
        )
    except (docker.errors.DockerException, OSError) as error:
        return _reason(error, place.host)
    try:
        said: dict[str, Any] = client.version()
    except (docker.errors.DockerException, OSError) as error:
        return _reason(error, place.host)
    finally:
        client.close()
    kernel = str(said.get("KernelVersion", "unknown"))
    return Engine(
        version=str(said.get("Version", "unknown")),
        api=str(said.get("ApiVersion", "unknown")),
        kernel=kernel,
        machine=str(said.get("Arch", "unknown")),
        netem=kernel_has_netem() if kernel == os.uname().release else None,
    )


def judge_docker(engine: Engine | str) -> Verdict:
    """Judge the docker bed. An engine whose kernel cannot be asked is taken at its word: `up` probes it."""
    if isinstance(engine, str):
        return Verdict(bed="docker", usable=False, found=f"no container engine answers ({engine})", cure=ENGINE_CURE)
    name = f"engine {engine.version} on kernel {engine.kernel}"
    if engine.netem is False:
        return Verdict(bed="docker", usable=False, found=f"{name} has no sch_netem", cure=NETEM_CURE)
    suffix = "with sch_netem" if engine.netem else PROBED_LATER
    return Verdict(bed="docker", usable=True, found=f"{name} {suffix}")


def judge_netns() -> Verdict:
    """Judge the netns bed: Linux, root, netem, and the stack installed on the host itself."""
    if not sys.platform.startswith("linux"):
        return _no_netns(f"this is {platform.system()}, not Linux", "use --bed docker")
    if os.geteuid() != 0:
        return _no_netns("not root", "run as root (sudo), or use --bed uml, which needs no privilege")
    if kernel_has_netem() is False:
        return _no_netns(f"kernel {os.uname().release} has no sch_netem", NETEM_CURE)
    if not Path("/proc/self/ns/net").exists():
        return _no_netns("this kernel has no network namespaces", "use --bed uml, which brings its own kernel")
    if not built("roots") and shutil.which("mmdebstrap") is None:
        return _no_netns("not built yet, and mmdebstrap is missing", "install it: apt-get install mmdebstrap")
    return Verdict(bed="netns", usable=True, found=f"root on kernel {os.uname().release}")


def runs_guests(engine: Engine | str) -> bool:
    """Return whether uml guests can run as containers of `engine`: one that answers, for x86-64."""
    return isinstance(engine, Engine) and engine.machine in UML_MACHINES


def judge_uml(
    engine: Engine | str, machine: str | None = None, which: Callable[[str], str | None] = shutil.which
) -> Verdict:
    """Judge the uml bed: x86-64, and an engine to run in, or its artefacts, or what makes them."""
    if isinstance(engine, Engine) and runs_guests(engine):
        return Verdict(bed="uml", usable=True, found=f"guests in containers of engine {engine.version}")
    machine = (machine or platform.machine()).lower()
    if not sys.platform.startswith("linux"):
        return _no_uml(f"this is {platform.system()}, not Linux", "use --bed docker")
    if machine not in UML_MACHINES:
        return _no_uml(f"this is {machine}; User-mode Linux needs x86-64", "use --bed docker or --bed netns")
    if built("roots") and built("kernels"):
        return Verdict(bed="uml", usable=True, found=f"{machine}, built in {cache_dir()}")
    missing = [name for name in UML_TOOLS if which(name) is None]
    if missing:
        return _no_uml(
            f"not built yet, and {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            f"install what builds it (apt-get install {' '.join(missing)}), then run `pqbed build`",
        )
    return Verdict(bed="uml", usable=True, found=f"{machine}, not built yet (`pqbed build` makes it)")


def exec_tmpfs(mounts: Path = Path("/proc/mounts")) -> Path | None:
    """Return a writable folder in memory that allows execution: the guest's memory is a file mapped from there."""
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return None
    options = {fields[1]: fields[3].split(",") for fields in lines if fields[2] == "tmpfs"}
    for folder in (tempfile.gettempdir(), "/dev/shm", "/tmp", "/run/user/" + str(os.getuid())):  # noqa: S108
        mount = _mount_of(folder, [fields[1] for fields in lines])
        if mount in options and "noexec" not in options[mount] and os.access(folder, os.W_OK):
            return Path(folder)
    return None


def cache_dir() -> Path:
    """Return where artefacts are kept between runs (XDG_CACHE_HOME)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pqbed"


def built(kind: str) -> tuple[str, ...]:
    """Return the names of the finished artefacts of `kind` (`kernels`, `roots`), newest last."""
    try:
        entries = sorted((cache_dir() / kind).iterdir(), key=lambda entry: entry.stat().st_mtime)
    except OSError:
        return ()
    return tuple(entry.name for entry in entries if not entry.name.endswith((".partial", ".lock")))


def _mount_of(folder: str, points: list[str]) -> str | None:
    path = os.path.realpath(folder)
    holding = [point for point in points if path == point or path.startswith(point.rstrip("/") + "/")]
    return max(holding, key=len, default=None)


def _no_netns(found: str, cure: str) -> Verdict:
    return Verdict(bed="netns", usable=False, found=found, cure=cure)


def _no_uml(found: str, cure: str) -> Verdict:
    return Verdict(bed="uml", usable=False, found=found, cure=cure)


def _reason(error: BaseException, address: str) -> str:
    """Return the operating system's own words for `error`, which requests and urllib3 bury, and the address asked."""
    pending: list[object] = [error]
    while pending:
        current = pending.pop()
        if isinstance(current, OSError) and current.strerror:
            return f"{address}: {current.strerror}"
        if isinstance(current, BaseException):
            pending.extend([current.__cause__, current.__context__, *current.args])
        elif isinstance(current, tuple):
            pending.extend(current)
    lines = str(error).splitlines() or [type(error).__name__]
    return f"{address}: {lines[0][:200]}"
