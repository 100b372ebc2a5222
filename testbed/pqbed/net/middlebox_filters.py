"""Loss of parts of a ClientHello, or of large ones, by filters on the egress hook: a middlebox.

Filters look at fixed places: IPv4 without options, TCP with time stamps alone, as Linux sends its data (u32 of
net/sched/cls_u32.c). A segment with data that does not begin with a TLS record is the tail of one.
"""

import errno
import struct
from collections.abc import Iterator

from pqbed.net import egress_filters as filters
from pqbed.net.netem import NLMSG_HEADER_BYTES, TCMSG_BYTES
from pqbed.net.rtnetlink import RefusalError, RouteSocket
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES
from pqbed.spec.middlebox import LARGEST_RECORD, Middlebox

# Behind those that lose packets by number and by size.
FIRST_PRIORITY = 0xF100
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
        self._kernel = kernel
        self._ifname = ifname
        self._index = index
        self._middlebox: Middlebox | None = None
        self._present = 0

    def put(self, middlebox: Middlebox | None) -> None:
        """Lose what it loses; nothing without one. Raises HostError."""
        self.remove()
        self._middlebox = middlebox
        self.restore()

    def restore(self) -> None:
        """Set it again after `remove`."""
        if self._middlebox is None:
            return
        self.remove()
        filters.ask(self._kernel, self._ifname, filters.hook_message(self._index), errno.EEXIST)
        for place, message in enumerate(self._messages(self._middlebox)):
            filters.ask(self._kernel, self._ifname, message)
            self._present = place + 1

    def remove(self) -> None:
        """Lose nothing until `restore`."""
        for place in range(self._present):
            gone = filters.removal_message(self._index, FIRST_PRIORITY + place)
            filters.ask(self._kernel, self._ifname, gone, errno.ENOENT, errno.EINVAL)
        self._present = 0

    def count(self) -> int:
        """Return how many of its filters the kernel has."""
        try:
            answers = self._kernel.ask_bytes(filters.listing_message(self._index))
        except RefusalError:
            return 0  # no hook
        infos = [struct.unpack_from("=I", answer, NLMSG_HEADER_BYTES + TCMSG_BYTES - 4)[0] >> 16 for answer in answers]
        return len({info for info in infos if info >= FIRST_PRIORITY})

    def expected_count(self) -> int:
        """Return how many it should have."""
        return 0 if self._middlebox is None else len(list(self._messages(self._middlebox)))

    def _messages(self, middlebox: Middlebox) -> Iterator[bytearray]:
        for place, (keys, action) in enumerate(_rules(middlebox)):
            yield filters.match_message(self._index, FIRST_PRIORITY + place, keys, action)


def _rules(middlebox: Middlebox) -> Iterator[tuple[tuple[filters.Key, ...], bytes]]:
    """Yield what to match and what to do, the first to be asked first."""
    if middlebox.drops == "hello-tail":
        for record in _RECORDS:
            yield (filters.Key(offset=_TLS_AT, value=record << 16, mask=0xFFFF_0000),), filters.decide(_PASS)
        # SYNs and selective acknowledgements have longer TCP headers, and no data.
        usual_header = filters.Key(offset=32, value=0x8000_0000, mask=0xF000_0000)
        yield (usual_header,), filters.steal_larger(_TLS_AT + ETHERNET_HEADER_BYTES)
        return
    for length, mask in above(middlebox.size_bytes):
        keys = (
            filters.Key(offset=_TLS_AT, value=_HANDSHAKE | length >> 8, mask=0xFFFF_0000 | mask >> 8),
            # The low byte of the record's length, and the type of the message: client_hello is 1.
            filters.Key(offset=_TLS_AT + 4, value=(length & 0xFF) << 24 | 1 << 16, mask=(mask & 0xFF) << 24 | 0xFF0000),
        )
        yield keys, filters.decide(filters.STEAL)


def above(size_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield values and masks of 16 bits that match exactly the numbers above `size_bytes`, to `LARGEST_RECORD`."""
    first = size_bytes + 1
    while first <= LARGEST_RECORD:
        span = first & -first
        while first + span - 1 > LARGEST_RECORD:
            span //= 2
        yield first, ~(span - 1) & (1 << _RECORD_BITS) - 1
        first += span
