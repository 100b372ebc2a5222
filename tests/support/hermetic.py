"""A guard that refuses to reach another host from this process (PEP 578)."""

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_guarded = False
_hooked = False


@contextmanager
def loopback_only() -> Iterator[None]:
    """Refuse, with an AssertionError, what leads beyond the loopback interface."""
    global _guarded, _hooked  # noqa: PLW0603 (an audit hook stays as long as the process)
    if not _hooked:
        sys.addaudithook(_refuse_other_hosts)
        _hooked = True
    before, _guarded = _guarded, True
    try:
        yield
    finally:
        _guarded = before


def _refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded:
        return
    match event, arguments:
        case (("socket.connect" | "socket.sendto"), (_, (host, *_))) if not _is_loopback(host):
            raise AssertionError(f"a unit test asks another host: {host}")
        case "socket.getaddrinfo", (host, *_) if not _is_loopback(host):
            raise AssertionError(f"a unit test asks for the address of {host}")
        case _:
            pass


def _is_loopback(host: str | bytes | int | None) -> bool:
    if isinstance(host, int):  # netlink: the kernel
        return True
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False
