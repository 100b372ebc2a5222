"""Work inside another network namespace, without moving this process there."""

import ctypes
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pqbed.errors import HostError

Result = TypeVar("Result")

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def run_in(netns: str | None, work: Callable[[], Result]) -> Result:
    """Return the result of `work` inside the namespace at path `netns` (None: the present one).

    setns(2) moves one thread, so a new thread enters, works and ends; a socket that it opens stays in that
    namespace. (os.setns needs Python 3.12.)
    """
    if netns is None:
        return work()
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(_enter_and, netns, work).result()


def open_socket(netns: str | None, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """Open a socket that lives in the namespace at path `netns`."""
    return run_in(netns, lambda: socket.socket(family, kind, protocol))


def _enter_and(netns: str, work: Callable[[], Result]) -> Result:
    try:
        handle = os.open(netns, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise HostError(f"there is no network namespace {netns}", hint="its process or lane has ended") from None
    try:
        enter(handle)
    finally:
        os.close(handle)
    return work()


def enter(handle: int) -> None:
    """Move the calling thread into the network namespace behind the descriptor `handle`."""
    _change(_libc.setns(handle, CLONE_NEWNET), "a network namespace cannot be entered")


def leave_for_new() -> None:
    """Move the calling thread into a new network namespace."""
    _change(_libc.unshare(CLONE_NEWNET), "a network namespace cannot be created")


def _change(result: int, failure: str) -> None:
    if result:
        raise HostError(f"{failure}: {os.strerror(ctypes.get_errno())}", hint="run as root")
