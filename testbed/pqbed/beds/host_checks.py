"""Host checks: which beds this host can run, and what to do about those that it cannot. Changes nothing."""

import contextlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqbed.beds.bed_interface import BedName
from pqbed.beds.docker.endpoint import DockerEndpoint, absent_socket, docker_endpoint
from pqbed.beds.docker.error_words import words_of
from pqbed.beds.host_cures import HostPlatform, local_platform, netem_cure, platform_of, seed_cure
from pqbed.beds.kernel_requirements import kernel_has_netem, kernel_seeds_netem
from pqbed.errors import EngineError
from pqbed.user_folders import cache_home

UML_MACHINES = ("x86_64", "amd64")
PROBED_LATER = "(whether its sch_netem can be used is probed in a container)"
UML_TOOLS = ("mmdebstrap",)
ENGINE_TIMEOUT_S = 5
ENGINE_HINT = "start Docker (or Podman's compatible socket), or point DOCKER_HOST at an engine; or use --bed uml"


@dataclass(frozen=True, slots=True, kw_only=True)
class BedStatus:
    """Whether `bed` can run on this host: `found` is the reason, `cure` what to do if it cannot."""

    bed: BedName
    usable: bool
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """A container engine that answered. `netem` None: unknown until a container asks its kernel."""

    version: str
    api: str
    kernel: str
    machine: str
    netem: bool | None
    name: str = ""
    system: str = ""
    rootless: bool = False
    local: bool = True
    address: str = ""

    @property
    def platform(self) -> HostPlatform:
        """The kind of host that its containers run on."""
        return platform_of(self.system, self.kernel, self.address)

    @property
    def seeds(self) -> bool | None:
        """Whether its kernel's netem takes a seed; None if only the kernel itself can answer."""
        return kernel_seeds_netem(self.kernel)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProbe:
    """The engine that answered, or None and the reason."""

    info: EngineInfo | None = None
    reason: str = ""


def probe_engine(endpoint: DockerEndpoint | None = None) -> EngineProbe:
    """Ask the engine at `endpoint`, by default the configured one. Waits at most ENGINE_TIMEOUT_S; never raises."""
    try:
        endpoint = endpoint or docker_endpoint()
    except EngineError as error:
        return EngineProbe(reason=error.message)
    if absent := absent_socket(endpoint.host):
        return EngineProbe(reason=f"{endpoint.host}: {absent}")
    import docker.errors

    from pqbed.beds.docker.docker_sdk_engine import open_client

    try:
        with contextlib.closing(open_client(endpoint, ENGINE_TIMEOUT_S)) as client:
            version: dict[str, Any] = client.version()
            info: dict[str, Any] = client.info()
    except EngineError as error:
        return EngineProbe(reason=error.message)
    except (docker.errors.DockerException, OSError) as error:
        return EngineProbe(reason=f"{endpoint.host}: {words_of(error)}")
    kernel = str(version.get("KernelVersion", "unknown"))
    local = kernel == os.uname().release
    engine = EngineInfo(
        version=str(version.get("Version", "unknown")),
        api=str(version.get("ApiVersion", "unknown")),
        kernel=kernel,
        machine=str(version.get("Arch", "unknown")),
        netem=kernel_has_netem() if local else None,
        name=engine_name(version),
        system=str(info.get("OperatingSystem", "")),
        rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()),
        local=local,
        address=endpoint.host,
    )
    return EngineProbe(info=engine)


def engine_name(version: dict[str, Any]) -> str:
    """Return what an engine is, from its answer to /version: Podman's socket names itself only as a component."""
    components = [str(part.get("Name", "")) for part in version.get("Components") or ()]
    if any("podman" in name.lower() for name in components):
        return "Podman"
    return str((version.get("Platform") or {}).get("Name", "")) or "Docker Engine"


def check_docker(probe: EngineProbe) -> BedStatus:
    """Check the docker bed. An engine whose kernel cannot be asked counts as usable: `up` probes it."""
    engine = probe.info
    if engine is None:
        found = f"no container engine answers ({probe.reason})"
        return BedStatus(bed="docker", usable=False, found=found, cure=ENGINE_HINT)
    name = f"engine {engine.version} on kernel {engine.kernel}"
    if engine.netem is False:
        return BedStatus(bed="docker", usable=False, found=f"{name} has no sch_netem", cure=engine_cure(engine))
    if engine.seeds is False:
        found = f"{name}, whose netem takes no seed (from Linux 6.6 on)"
        return BedStatus(bed="docker", usable=False, found=found, cure=engine_cure(engine))
    suffix = "with sch_netem" if engine.netem and engine.seeds else PROBED_LATER
    return BedStatus(bed="docker", usable=True, found=f"{name} {suffix}")


def engine_cure(engine: EngineInfo) -> str:
    """Return what makes the kernel of an engine fit for the docker bed; "" if nothing is known to be missing."""
    if engine.netem is False:
        return netem_cure(engine.platform, rootless=engine.rootless)
    if engine.seeds is False:
        return seed_cure(engine.platform, rootless=engine.rootless)
    return ""


def check_netns() -> BedStatus:
    """Check the netns bed: Linux, root, netem, network namespaces, and a root file system or what makes it."""
    if not sys.platform.startswith("linux"):
        return _no_netns(f"this is {platform.system()}, not Linux", "use --bed docker")
    if os.geteuid() != 0:
        return _no_netns("not root", "run as root (sudo), or use --bed uml, which needs no privilege")
    if (fault := local_netem_fault()) is not None:
        return _no_netns(*fault)
    if not Path("/proc/self/ns/net").exists():
        return _no_netns("this kernel has no network namespaces", "use --bed uml, which brings its own kernel")
    if not built_artefacts("roots") and shutil.which("mmdebstrap") is None:
        return _no_netns("not built yet, and mmdebstrap is missing", "install it: apt install mmdebstrap")
    return BedStatus(bed="netns", usable=True, found=f"root on kernel {os.uname().release}")


def local_netem_fault() -> tuple[str, str] | None:
    """Return what is wrong with netem of this host's kernel, and its cure; None if nothing is known to be."""
    kernel = f"kernel {os.uname().release}"
    if kernel_has_netem() is False:
        return f"{kernel} has no sch_netem", netem_cure(local_platform())
    if kernel_seeds_netem(os.uname().release) is False:
        return f"{kernel} has a netem that takes no seed (from Linux 6.6 on)", seed_cure(local_platform())
    return None


def runs_guests(engine: EngineInfo | None) -> bool:
    """Return whether uml guests can run as containers of `engine`: it must be one for x86-64."""
    return engine is not None and engine.machine in UML_MACHINES


def check_uml(
    probe: EngineProbe, machine: str | None = None, which: Callable[[str], str | None] = shutil.which
) -> BedStatus:
    """Check the uml bed: x86-64, and an engine to run in, or its artefacts, or the tools that build them."""
    engine = probe.info
    if engine is not None and runs_guests(engine):
        return BedStatus(bed="uml", usable=True, found=f"guests in containers of engine {engine.version}")
    machine = (machine or platform.machine()).lower()
    if not sys.platform.startswith("linux"):
        return _no_uml(f"this is {platform.system()}, not Linux", "use --bed docker")
    if machine not in UML_MACHINES:
        return _no_uml(f"this is {machine}; User-mode Linux needs x86-64", "use --bed docker or --bed netns")
    if built_artefacts("roots") and built_artefacts("kernels"):
        return BedStatus(bed="uml", usable=True, found=f"{machine}, built in {cache_home()}")
    missing = [name for name in UML_TOOLS if which(name) is None]
    if missing:
        return _no_uml(
            f"not built yet, and {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            f"install what builds it (apt install {' '.join(missing)}), then run `pqbed build`",
        )
    return BedStatus(bed="uml", usable=True, found=f"{machine}, not built yet (`pqbed build` makes it)")


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


def built_artefacts(kind: str) -> tuple[str, ...]:
    """Return the names of the finished artefacts of `kind` (`kernels`, `roots`) in the cache, newest last."""
    try:
        entries = sorted((cache_home() / kind).iterdir(), key=lambda entry: entry.stat().st_mtime)
    except OSError:
        return ()
    return tuple(entry.name for entry in entries if "." not in entry.name)


def _mount_of(folder: str, points: list[str]) -> str | None:
    path = os.path.realpath(folder)
    holding = [point for point in points if path == point or path.startswith(point.rstrip("/") + "/")]
    return max(holding, key=len, default=None)


def _no_netns(found: str, cure: str) -> BedStatus:
    return BedStatus(bed="netns", usable=False, found=found, cure=cure)


def _no_uml(found: str, cure: str) -> BedStatus:
    return BedStatus(bed="uml", usable=False, found=found, cure=cure)
