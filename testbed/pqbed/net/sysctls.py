"""Kernel settings (sysctls) of a namespace that determine how TCP behaves: pinned, not inherited from the host.

Standard library only: the docker bed gives PINS when it creates a container.
"""

import gzip
from pathlib import Path

from pqbed.errors import HostError
from pqbed.net.run_in_namespace import run_in

PINS: dict[str, str] = {
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
    "net.ipv4.tcp_moderate_rcvbuf": "1",
    # One connection must not start with what another one learnt.
    "net.ipv4.tcp_no_metrics_save": "1",
    # The kernel's default.
    "net.ipv4.tcp_slow_start_after_idle": "1",
    # A SYN carries data only where a client's socket asks for it (spec/tcp.py), and then needs no cookie: client (0x1),
    # server (0x2), neither with a cookie (0x4, 0x200), every listening socket (0x400); ip-sysctl.rst.
    "net.ipv4.tcp_fastopen": "1543",
    # The kernel's default: a client does not ask for ECN.
    "net.ipv4.tcp_ecn": "2",
    "net.ipv4.tcp_sack": "1",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_window_scaling": "1",
    "net.ipv4.tcp_autocorking": "1",
}

# These make a namespace a stage of a link: it forwards packets, and sends none of its own.
FORWARDING: dict[str, str] = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
}

# Recorded with a run. All but the first belong to the host. The first is no pin, because a namespace may not take
# an algorithm its host has not allowed (EPERM); each End names its own on the route, which is obeyed before this.
RECORDED: tuple[str, ...] = (
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_mem",
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.core.netdev_max_backlog",
    "net.core.default_qdisc",
    "net.ipv4.tcp_available_congestion_control",
)
# Of these, what differs between two boots of one kernel: the first is sized by the memory that was free at boot
# (tcp_init_mem in net/ipv4/tcp.c), the second grows when a module is loaded.
UNSTABLE = frozenset({"net.ipv4.tcp_mem", "net.ipv4.tcp_available_congestion_control"})

PROC_SYS = Path("/proc/sys")
KERNEL_CONFIG = Path("/proc/config.gz")


def pin(netns: str | None = None) -> dict[str, str]:
    """Write PINS in the namespace at path `netns`, read them back and return them with what is recorded."""
    return run_in(netns, _pin_here)


def read(netns: str | None = None) -> dict[str, str]:
    """Return PINS' and RECORDED's values in a namespace, and HZ if the kernel reports it.

    Unreadable values are left out.
    """
    return run_in(netns, _read_here)


def forward() -> None:
    """Make the present namespace a stage, before it gets its interfaces: they inherit `default`."""
    _write(FORWARDING)


def _pin_here() -> dict[str, str]:
    _write(PINS)
    return _read_here()


def _write(wanted_values: dict[str, str]) -> None:
    for name, wanted in wanted_values.items():
        try:
            _path(name).write_text(wanted)
        except OSError as error:
            # Docker mounts /proc/sys read-only and sets them itself: the reading decides.
            if _value(name) != wanted:
                raise HostError(
                    f"{name} cannot be set to {wanted}: {error.strerror}",
                    hint="run as root, or give it when the container is created (docker run --sysctl)",
                ) from None
    for name, wanted in wanted_values.items():
        if (value := _value(name)) != wanted:
            raise HostError(f"{name} is {value or 'absent'}, not {wanted}, after it was set")


def _read_here() -> dict[str, str]:
    values = {name: _value(name) for name in (*PINS, *RECORDED)}
    state = {name: value for name, value in values.items() if value is not None}
    hertz = _hertz()
    return state if hertz is None else {**state, "HZ": hertz}


def _value(name: str) -> str | None:
    try:
        return " ".join(_path(name).read_text().split())
    except OSError:
        return None


def _path(name: str) -> Path:
    return PROC_SYS.joinpath(*name.split("."))


def _hertz() -> str | None:
    """Return the kernel's timer frequency, None if it does not show its configuration."""
    try:
        lines = gzip.decompress(KERNEL_CONFIG.read_bytes()).decode().splitlines()
    except OSError:
        return None
    return next((line.removeprefix("CONFIG_HZ=") for line in lines if line.startswith("CONFIG_HZ=")), None)
