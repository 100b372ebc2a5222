"""Kinds of connections that a fetch can use: new, resumed, with early data, or kept from the request before."""

from dataclasses import dataclass
from typing import Literal, get_args

from pqbed.errors import SpecError
from pqbed.spec.name_suggestions import known_name
from pqbed.units import format_duration, parse_duration

# `full`: a new connection and a whole handshake. `resumed`: a new connection, and a handshake by the ticket of an
# earlier one (RFC 8446, 2.2), with a fresh key exchange. `early`: the same, with the request as 0-RTT data (2.3).
# `reused`: the second request of a connection.
ConnectionKind = Literal["full", "resumed", "early", "reused"]
KINDS: tuple[ConnectionKind, ...] = get_args(ConnectionKind)
# Those that begin with a ticket, which a fetch before the measured one gets.
TICKET_KINDS: tuple[ConnectionKind, ...] = ("resumed", "early")

LONGEST_IDLE_NS = 3600 * 10**9
_HINT = "write full, resumed, early, reused, or reused:10s for a connection that was idle as long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`idle_ns`: how long a reused connection was idle before the request."""

    kind: ConnectionKind = "full"
    idle_ns: int = 0

    @property
    def size_kind(self) -> ConnectionKind:
        """Return the kind whose bytes are on the wire: a connection that is kept was a full one when it began."""
        return "full" if self.kind == "reused" else self.kind


FULL = Connection()


def parse_connection(item: str, bare: bool) -> Connection:  # noqa: ARG001 (the unit of the idle time is always said)
    """Read `full`, `resumed`, `early`, `reused` or `reused:10s`."""
    name, colon, idle = item.partition(":")
    kind = KINDS[KINDS.index(known_name(name, KINDS, "connection"))]
    if not colon:
        return Connection(kind=kind)
    if kind != "reused":
        raise SpecError(f"{item[:80]!r}: only a reused connection is idle before the request", _HINT)
    idle_ns = parse_duration(idle)
    if not 0 <= idle_ns <= LONGEST_IDLE_NS:
        raise SpecError(f"{item[:80]!r} is out of range", f"give up to {format_duration(LONGEST_IDLE_NS)}")
    return Connection(kind=kind, idle_ns=idle_ns)


def format_connection(connection: Connection) -> str:
    """Return the text that `parse_connection` reads back."""
    return f"{connection.kind}:{format_duration(connection.idle_ns)}" if connection.idle_ns else connection.kind
