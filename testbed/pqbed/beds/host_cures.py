"""Cures by kind of host: how netem, or a newer kernel, comes to the kernel that containers run on.

A cure that no one has carried out on such a host says so: `UNCHECKED`.
"""

import platform
from dataclasses import dataclass

UNCHECKED = " (not checked)"
OTHERWISE = "; or use --bed uml, which brings its own kernel"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlatform:
    """A kind of host: what its engine or system calls itself, and its cures."""

    name: str
    marks: tuple[str, ...]
    netem: str
    seed: str


# The first whose mark is in the system's name, the kernel's release or the engine's address is taken.
PLATFORMS = (
    HostPlatform(
        name="Docker Desktop",
        marks=("docker desktop", "linuxkit"),
        netem=f"update Docker Desktop; a kernel of it that lacks sch_netem cannot be given one{UNCHECKED}",
        seed=f"update Docker Desktop: its kernel must be 6.6 or newer{UNCHECKED}",
    ),
    HostPlatform(
        name="WSL2",
        marks=("microsoft",),
        netem=f"in PowerShell: wsl --update; then in WSL: sudo modprobe sch_netem{UNCHECKED}",
        seed=f"in PowerShell: wsl --update, then wsl --shutdown: the kernel must be 6.6 or newer{UNCHECKED}",
    ),
    HostPlatform(
        name="Colima",
        marks=(".colima", "colima"),
        netem="colima ssh -- sudo sh -c 'apt-get update && apt-get install -y linux-modules-extra-$(uname -r) && "
        f"modprobe sch_netem'{UNCHECKED}",
        seed=f"colima delete, then start again with a newer Colima: its kernel must be 6.6 or newer{UNCHECKED}",
    ),
    HostPlatform(
        name="Ubuntu",
        marks=("ubuntu",),
        netem=f"apt install linux-modules-extra-$(uname -r) && modprobe sch_netem{UNCHECKED}",
        seed=f"on 22.04: apt install linux-generic-hwe-22.04, and reboot; 24.04 has a kernel that does{UNCHECKED}",
    ),
    HostPlatform(
        name="RHEL",
        marks=("red hat", "rhel", "centos", "rocky", "alma"),
        netem=f"dnf install kernel-modules-extra-$(uname -r) && modprobe sch_netem{UNCHECKED}",
        seed=f"take a release whose kernel is 6.6 or newer (RHEL 10){UNCHECKED}",
    ),
    HostPlatform(
        name="Fedora",
        marks=("fedora",),
        netem=f"dnf install kernel-modules-extra && modprobe sch_netem{UNCHECKED}",
        seed=f"dnf upgrade kernel, and reboot{UNCHECKED}",
    ),
    HostPlatform(
        name="Debian",
        marks=("debian",),
        netem="modprobe sch_netem; a kernel without it is not Debian's: apt install linux-image-amd64 (arm64: "
        "linux-image-arm64), and reboot",
        seed="on Debian 12: apt install -t bookworm-backports linux-image-amd64 (6.12), and reboot",
    ),
)
OTHER = HostPlatform(
    name="Linux",
    marks=(),
    netem="install the modules that your distribution splits off its kernel, and run modprobe sch_netem",
    seed="install a kernel that is 6.6 or newer",
)


def platform_of(*texts: str) -> HostPlatform:
    """Return the kind of host that the name of its system, its kernel's release or its address tells."""
    text = " ".join(texts).lower()
    return next((each for each in PLATFORMS if any(mark in text for mark in each.marks)), OTHER)


def local_platform() -> HostPlatform:
    """Return the kind of this host."""
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        system = platform.system()
    return platform_of(system, platform.release())


def netem_cure(host: HostPlatform, *, rootless: bool = False) -> str:
    """Return what brings netem to a kernel that lacks it."""
    return _cure(host, host.netem, rootless=rootless)


def seed_cure(host: HostPlatform, *, rootless: bool = False) -> str:
    """Return what brings a netem that takes a seed."""
    return _cure(host, f"netem takes a seed from Linux 6.6 on: {host.seed}", rootless=rootless)


def _cure(host: HostPlatform, cure: str, *, rootless: bool) -> str:
    who = "as root of the engine's host, whose engine is rootless: " if rootless else ""
    return f"{host.name}: {who}{cure}{OTHERWISE}"
