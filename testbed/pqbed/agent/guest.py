"""The agent as the init of a User-mode Linux guest: what a kernel leaves to its first process."""

import contextlib
import ctypes
import os
import sys
import termios
import tty
from pathlib import Path

# (file system, where). The root is the host's through hostfs: all that is written goes to tmpfs.
MOUNTS = (
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("tmpfs", "/tmp"),  # noqa: S108 - the guest's own
    ("tmpfs", "/run"),
    ("tmpfs", "/var/log"),
    ("tmpfs", "/var/lib/nginx"),
)
_POWER_OFF = 0x4321FEDC  # include/uapi/linux/reboot.h


def set_up_guest() -> None:
    """Mount what programs expect, name the search path, and make the console a plain byte channel."""
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["HOME"] = "/tmp"  # noqa: S108
    libc = ctypes.CDLL(None, use_errno=True)
    for kind, where in MOUNTS:
        if Path(where).is_dir() and libc.mount(kind.encode(), where.encode(), kind.encode(), 0, None):
            raise OSError(ctypes.get_errno(), f"cannot mount {kind} on {where}")
    tty.setraw(sys.stdin.fileno(), termios.TCSANOW)
    _turn_lo_up()


def power_off() -> None:
    """End the guest. Does not return."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    ctypes.CDLL(None).reboot(_POWER_OFF)


def _turn_lo_up() -> None:
    import fcntl  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
