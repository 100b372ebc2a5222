"""Set-up of a root file system by its first process: in a UML guest, or in namespaces of its own.

The agent must not change the root: everything it writes goes to tmpfs, and ends with the lane.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
import termios
import tty
from pathlib import Path

from pqbed.spec.stacks import known_stacks

# (file system, mount point)
MOUNTS = (
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("tmpfs", "/tmp"),  # noqa: S108 - the lane's own
    ("tmpfs", "/run"),
    ("tmpfs", "/var/log"),
)
_POWER_OFF = 0x4321FEDC  # include/uapi/linux/reboot.h
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING (include/uapi/linux/if.h)


def set_up_root() -> None:
    """Mount the file systems that programs expect, set the search path, and bring the loopback interface up.

    Raises OSError.
    """
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["HOME"] = "/tmp"  # noqa: S108
    libc = ctypes.CDLL(None, use_errno=True)
    written = [("tmpfs", target) for stack in known_stacks().values() for target in stack.tmpfs]
    for kind, target in (*MOUNTS, *written):
        if Path(target).is_dir() and libc.mount(kind.encode(), target.encode(), kind.encode(), 0, None):
            raise OSError(ctypes.get_errno(), f"cannot mount {kind} on {target}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP_AND_RUNNING))


def open_console() -> None:
    """Make the guest's console raw: no echo, no line editing, no translation of line ends."""
    tty.setraw(sys.stdin.fileno(), termios.TCSANOW)


def power_off() -> None:
    """End the guest. Does not return."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    ctypes.CDLL(None).reboot(_POWER_OFF)
