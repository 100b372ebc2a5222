"""Loss of exactly the n-th packets that an interface sends, in the kernel, by filters on its egress hook that count.

Each dropped packet has a filter of its own. Its first action picks every n-th packet, so also the 2n-th and so on. What
it picks passes sixteen more, each of which lets every other one go, so that of 65,536 only the first arrives at the
end, where it is stolen. Stolen, not shot: of a shot packet the sender's TCP would hear at once, as it would not of a
network's loss.
A filter does not see what one before it has stolen, so its count is less by as many.

Counting starts when the filters are made.
"""

from pqbed.net import egress_filters as filters
from pqbed.net.rtnetlink import RouteSocket

# Behind a mirror's (egress_mirror.py): what is stolen has been mirrored before.
PRIORITIES = range(0xE000, 0xF000)

_HALVINGS = 16


class PacketDrops:
    """The packets that interface `index` loses, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._filters = filters.FilterRow(kernel, ifname, index, PRIORITIES)

    def put(self, numbers: tuple[int, ...]) -> None:
        """Lose the packets with these ascending numbers, counted from 1 from now on. Raises HostError."""
        self._filters.put([filters.matchall(_lose(number - place)) for place, number in enumerate(numbers)])

    def restart(self) -> None:
        """Count from 1 again, after `remove` too."""
        self._filters.restore()

    def remove(self) -> None:
        """Lose nothing until `restart`."""
        self._filters.remove()

    def read(self) -> tuple[int, ...]:
        """Return the numbers as the kernel has them."""
        counts = {place: _read_count(options) for place, options in self._filters.read().items()}
        return tuple(count + place for place, count in sorted(counts.items()) if count)


def _lose(number: int) -> tuple[bytes, ...]:
    first = filters.decide(filters.NEXT_FILTER, each=number, picked=filters.NEXT_ACTION)
    halve = filters.decide(filters.NEXT_ACTION, each=2, picked=filters.NEXT_FILTER)
    return (first, *[halve] * _HALVINGS, filters.decide(filters.STEAL))


def _read_count(options: bytes) -> int:
    """Return which packet a filter loses; 0 if it is none of this module's."""
    first = filters.first_action(options)
    if filters.GACT_PROB not in first:
        return 0
    _, count, _ = filters.GACT_COUNT.unpack_from(first[filters.GACT_PROB])
    return int(count)
