"""Loss of exactly the n-th packets that an interface sends, in the kernel, by filters on its egress hook that count.

Each dropped packet has a filter of its own. Its first action picks every n-th packet, so also the 2n-th and so on. What
it picks passes sixteen more, each of which lets every other one go, so that of 65,536 only the first arrives at the
end, where it is stolen. Stolen, not shot: of a shot packet the sender's TCP would hear at once, as it would not of a
network's loss.
A filter does not see what one before it has stolen, so its count is less by as many.

Counting starts when the filters are made.
"""

import errno
import struct

from pqbed.net import egress_filters as filters
from pqbed.net.netem import NLMSG_HEADER_BYTES, TCA_OPTIONS, TCMSG_BYTES
from pqbed.net.rtnetlink import RefusalError, RouteSocket, attributes

# Behind a mirror's (egress_mirror.py): what is stolen has been mirrored before.
FIRST_PRIORITY = 0xE000

_HALVINGS = 16


class PacketDrops:
    """The packets that interface `index` loses, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._kernel = kernel
        self._ifname = ifname
        self._index = index
        self._numbers: tuple[int, ...] = ()
        self._present = 0

    def put(self, numbers: tuple[int, ...]) -> None:
        """Lose the packets with these ascending numbers, counted from 1 from now on. Raises HostError."""
        self.remove()
        self._numbers = numbers
        self.restart()

    def restart(self) -> None:
        """Count from 1 again, after `remove` too."""
        if not self._numbers:
            return
        self.remove()
        filters.ask(self._kernel, self._ifname, filters.hook_message(self._index), errno.EEXIST)
        for place, number in enumerate(self._numbers):
            made = filters.filter_message(self._index, FIRST_PRIORITY + place, _lose(number - place))
            filters.ask(self._kernel, self._ifname, made)
            self._present = place + 1

    def remove(self) -> None:
        """Lose nothing until `restart`. Another program may have taken the hook away with all that was on it."""
        for place in range(self._present):
            gone = filters.removal_message(self._index, FIRST_PRIORITY + place)
            filters.ask(self._kernel, self._ifname, gone, errno.ENOENT, errno.EINVAL)
        self._present = 0

    def read(self) -> tuple[int, ...]:
        """Return the numbers as the kernel has them."""
        try:
            answers = self._kernel.ask_bytes(filters.listing_message(self._index))
        except RefusalError:
            return ()  # no hook
        counts = sorted(filter(None, map(_read_count, answers)))
        return tuple(count + place for place, count in counts)


def _lose(number: int) -> tuple[bytes, ...]:
    first = filters.decide(filters.NEXT_FILTER, each=number, picked=filters.NEXT_ACTION)
    halve = filters.decide(filters.NEXT_ACTION, each=2, picked=filters.NEXT_FILTER)
    return (first, *[halve] * _HALVINGS, filters.decide(filters.STEAL))


def _read_count(answer: bytes) -> tuple[int, int] | None:
    """Return the place of a filter and its count; None if it is no filter of this module."""
    (info,) = struct.unpack_from("=I", answer, NLMSG_HEADER_BYTES + TCMSG_BYTES - 4)
    place = (info >> 16) - FIRST_PRIORITY
    options = attributes(answer, NLMSG_HEADER_BYTES + TCMSG_BYTES).get(TCA_OPTIONS, b"")
    actions = attributes(attributes(options, 0).get(filters.MATCHALL_ACT, b""), 0)
    first = attributes(attributes(actions.get(1, b""), 0).get(filters.ACT_OPTIONS, b""), 0)
    if place < 0 or filters.GACT_PROB not in first:
        return None
    _, count, _ = filters.GACT_COUNT.unpack_from(first[filters.GACT_PROB])
    return place, count
