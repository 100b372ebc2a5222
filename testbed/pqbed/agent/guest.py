"""The agent as the first process of a root file system: in a uml guest, or in namespaces of its own.

The root is not the agent's to change: all that is written goes to tmpfs, and ends with the lane.
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

# (file system, where)
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
    """Mount what programs expect, name the search path, and turn the loopback interface on."""
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["HOME"] = "/tmp"  # noqa: S108
    libc = ctypes.CDLL(None, use_errno=True)
    written = [("tmpfs", where) for stack in known_stacks().values() for where in stack.tmpfs]
    for kind, where in (*MOUNTS, *written):
        if Path(where).is_dir() and libc.mount(kind.encode(), where.encode(), kind.encode(), 0, None):
            raise OSError(ctypes.get_errno(), f"cannot mount {kind} on {where}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP_AND_RUNNING))


def open_console() -> None:
    """Make the guest's console a plain channel of bytes: no echo, no lines edited, no end of line rewritten."""
    tty.setraw(sys.stdin.fileno(), termios.TCSANOW)


def power_off() -> None:
    """End the guest. Does not return."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    ctypes.CDLL(None).reboot(_POWER_OFF)
