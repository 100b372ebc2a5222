"""Loss of parts of a ClientHello, or of large ones, by filters on the egress hook: a middlebox.

Filters look at fixed places: IPv4 without options, TCP with time stamps alone, as Linux sends its data (u32 of
net/sched/cls_u32.c). A segment with data that does not begin with a TLS record is the tail of one.
"""

from collections.abc import Iterator

from pqbed.net import egress_filters as filters
from pqbed.net.rtnetlink import RouteSocket
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES
from pqbed.spec.middlebox import LARGEST_RECORD, Middlebox

# Behind those that lose packets by number and by size.
PRIORITIES = range(0xF100, 0xFFFF)
# Where TLS begins in a packet, and how large a packet without data is at most.
_TLS_AT = 20 + 32
# TLS records by their first two bytes: change_cipher_spec, alert, handshake, application data.
_RECORDS = (0x1403, 0x1503, 0x1603, 0x1703)
_HANDSHAKE = 0x16030000
_PASS = 0
_RECORD_BITS = 16


class MiddleboxFilters:
    """The middlebox in what leaves interface `index`, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._filters = filters.FilterRow(kernel, ifname, index, PRIORITIES)
        self._wanted: list[bytes] = []

    def put(self, middlebox: Middlebox | None) -> None:
        """Lose what it loses; nothing without one. Raises HostError."""
        self._wanted = [] if middlebox is None else list(_rules(middlebox))
        self._filters.put(self._wanted)

    def restore(self) -> None:
        """Set it again after `remove`."""
        self._filters.restore()

    def remove(self) -> None:
        """Lose nothing until `restore`."""
        self._filters.remove()

    def count(self) -> int:
        """Return how many of its filters the kernel has."""
        return len(self._filters.read())

    def expected_count(self) -> int:
        """Return how many it should have."""
        return len(self._wanted)


def _rules(middlebox: Middlebox) -> Iterator[bytes]:
    """Yield filters, the first to be asked first."""
    if middlebox.drops == "hello-tail":
        for record in _RECORDS:
            key = filters.Key(offset=_TLS_AT, value=record << 16, mask=0xFFFF_0000)
            yield filters.match((key,), filters.decide(_PASS))
        # SYNs and selective acknowledgements have longer TCP headers, and no data.
        usual_header = filters.Key(offset=32, value=0x8000_0000, mask=0xF000_0000)
        yield filters.match((usual_header,), filters.steal_larger(_TLS_AT + ETHERNET_HEADER_BYTES))
        return
    for length, mask in above(middlebox.size_bytes):
        keys = (
            filters.Key(offset=_TLS_AT, value=_HANDSHAKE | length >> 8, mask=0xFFFF_0000 | mask >> 8),
            # The low byte of the record's length, and the type of the message: client_hello is 1.
            filters.Key(offset=_TLS_AT + 4, value=(length & 0xFF) << 24 | 1 << 16, mask=(mask & 0xFF) << 24 | 0xFF0000),
        )
        yield filters.match(keys, filters.decide(filters.STEAL))


def above(size_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield values and masks of 16 bits that match exactly the numbers above `size_bytes`, to `LARGEST_RECORD`."""
    first = size_bytes + 1
    while first <= LARGEST_RECORD:
        span = first & -first
        while first + span - 1 > LARGEST_RECORD:
            span //= 2
        yield first, ~(span - 1) & (1 << _RECORD_BITS) - 1
        first += span
