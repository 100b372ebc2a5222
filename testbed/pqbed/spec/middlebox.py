"""Middleboxes on the way to the server that drop parts of a ClientHello, or whole ones."""

from dataclasses import dataclass
from typing import Literal

from pqbed.errors import SpecError

# `hello-tail`: what follows the first segment of a ClientHello is lost, again and again, as a box that looks for a
# server name in one packet loses it. `hello-above`: ClientHellos of a larger TLS record are lost.
Drops = Literal["hello-tail", "hello-above"]

_NONE = "none"
_TAIL: Literal["hello-tail"] = "hello-tail"
_ABOVE: Literal["hello-above"] = "hello-above"
# A record holds 16,384 bytes (RFC 8446, section 5.1).
LARGEST_RECORD = 16_384
_HINT = "write hello-tail, hello-above:1400, or none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Middlebox:
    """`size_bytes`: of the largest TLS record of a ClientHello that passes `hello-above`; 0 for the other."""

    drops: Drops
    size_bytes: int = 0


def parse_middlebox(item: str, bare: bool) -> Middlebox | None:  # noqa: ARG001 (bytes, as everywhere)
    """Read `hello-tail`, `hello-above:1400`, or `none`."""
    if item == _NONE:
        return None
    if item == _TAIL:
        return Middlebox(drops=_TAIL)
    kind, _, size = item.partition(":")
    if kind != _ABOVE or not (size.isascii() and size.isdigit() and len(size) <= 5):
        raise SpecError(f"{item[:80]!r} is no middlebox", _HINT)
    if not 1 <= int(size) < LARGEST_RECORD:
        raise SpecError(f"{item[:80]!r} is out of range", f"give a size from 1 to {LARGEST_RECORD - 1}")
    return Middlebox(drops=_ABOVE, size_bytes=int(size))


def format_middlebox(middlebox: Middlebox | None) -> str:
    """Return the text that `parse_middlebox` reads back."""
    if middlebox is None:
        return _NONE
    return _TAIL if middlebox.drops == _TAIL else f"{_ABOVE}:{middlebox.size_bytes}"
