"""A path that takes smaller packets than its ends, and what its routers do about it."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from pqbed.errors import SpecError
from pqbed.spec.name_suggestions import known_name

# `swallowed`: larger packets are lost, and so is the ICMP message that says why (a black hole, RFC 2923). `clamped`: a
# router writes the MSS that fits into SYNs, so that no larger ones are sent (RFC 4459, 3.2). `told`: larger packets are
# lost, and an ICMP message tells their sender (RFC 1191).
Handling = Literal["swallowed", "clamped", "told"]

SMALLEST, LARGEST = 576, 9216
_NONE = "none"
_HINT = (
    "write 1400:told for routers that say so, 1400:swallowed for a black hole, 1400:clamped for routers that clamp the "
    "MSS, or none"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMtu:
    """The largest packet, IP header included, in bytes."""

    size_bytes: int
    handling: Handling


def parse_path_mtu(item: str, bare: bool) -> PathMtu | None:  # noqa: ARG001 (bytes, as everywhere)
    """Read `1400:swallowed`, `1400:clamped`, or `none` for a path that takes what its ends send."""
    if item == _NONE:
        return None
    size, colon, handling = item.partition(":")
    if not colon or not (size.isascii() and size.isdigit() and len(size) <= 5):
        raise SpecError(f"{item[:80]!r} is not an MTU and what becomes of larger packets", _HINT)
    if not SMALLEST <= int(size) <= LARGEST:
        raise SpecError(f"{item[:80]!r} is out of range", f"give an MTU from {SMALLEST} to {LARGEST}")
    known_name(handling, get_args(Handling), "handling of larger packets")
    return PathMtu(size_bytes=int(size), handling=cast("Handling", handling))


def format_path_mtu(path_mtu: PathMtu | None) -> str:
    """Return the text that `parse_path_mtu` reads back."""
    return _NONE if path_mtu is None else f"{path_mtu.size_bytes}:{path_mtu.handling}"
