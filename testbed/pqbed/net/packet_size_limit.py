"""Loss of every packet above a size that an interface sends, by a filter on its egress hook: a black hole.

The action is a policer without a rate, which only asks for the size (tcf_police_mtu_check in net/sched/act_police.c).
It steals what is too large: a router that sends no ICMP message leaves its sender to time-outs.
"""

import errno
import struct

from pqbed.net import egress_filters as filters
from pqbed.net.netem import NLMSG_HEADER_BYTES, TCA_OPTIONS, TCMSG_BYTES
from pqbed.net.rtnetlink import RefusalError, RouteSocket, attributes
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES

# Behind those that lose packets by number, which count packets of any size.
PRIORITY = 0xF000


class PacketSizeLimit:
    """The largest packet that leaves interface `index`, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._kernel = kernel
        self._ifname = ifname
        self._index = index
        self._size_bytes = 0
        self._present = False

    def put(self, size_bytes: int) -> None:
        """Lose packets of more than `size_bytes`, IP header included; 0: none. Raises HostError."""
        self.remove()
        self._size_bytes = size_bytes
        self.restore()

    def restore(self) -> None:
        """Set it again after `remove`, or after another program took the hook away."""
        if not self._size_bytes:
            return
        self.remove()
        filters.ask(self._kernel, self._ifname, filters.hook_message(self._index), errno.EEXIST)
        action = filters.steal_larger(self._size_bytes + ETHERNET_HEADER_BYTES)
        filters.ask(self._kernel, self._ifname, filters.filter_message(self._index, PRIORITY, (action,)))
        self._present = True

    def remove(self) -> None:
        """Lose nothing until `restore`."""
        if self._present:
            gone = filters.removal_message(self._index, PRIORITY)
            filters.ask(self._kernel, self._ifname, gone, errno.ENOENT, errno.EINVAL)
        self._present = False

    def read(self) -> int:
        """Return the size as the kernel has it; 0 without a limit."""
        try:
            answers = self._kernel.ask_bytes(filters.listing_message(self._index))
        except RefusalError:
            return 0  # no hook
        return max(map(_read_size, answers), default=0)


def _read_size(answer: bytes) -> int:
    (info,) = struct.unpack_from("=I", answer, NLMSG_HEADER_BYTES + TCMSG_BYTES - 4)
    options = attributes(answer, NLMSG_HEADER_BYTES + TCMSG_BYTES).get(TCA_OPTIONS, b"")
    actions = attributes(attributes(options, 0).get(filters.MATCHALL_ACT, b""), 0)
    first = attributes(attributes(actions.get(1, b""), 0).get(filters.ACT_OPTIONS, b""), 0)
    if info >> 16 != PRIORITY or filters.POLICE_TBF not in first:
        return 0
    (frame_bytes,) = struct.unpack_from("=I", first[filters.POLICE_TBF], filters.POLICE_MTU_AT)
    return int(frame_bytes) - ETHERNET_HEADER_BYTES
