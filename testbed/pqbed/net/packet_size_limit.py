"""Loss of every packet above a size that an interface sends, by a filter on its egress hook: a black hole.

The action is a policer without a rate, which only asks for the size (tcf_police_mtu_check in net/sched/act_police.c).
It steals what is too large: a router that sends no ICMP message leaves its sender to time-outs.
"""

from pqbed.net import egress_filters as filters
from pqbed.net.rtnetlink import RouteSocket
from pqbed.net.tc_messages import u32_at
from pqbed.spec.link_end_shape import ETHERNET_HEADER_BYTES

# Behind those that lose packets by number, which count packets of any size.
PRIORITIES = range(0xF000, 0xF001)


class PacketSizeLimit:
    """The largest packet that leaves interface `index`, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._filters = filters.FilterRow(kernel, ifname, index, PRIORITIES)

    def put(self, size_bytes: int) -> None:
        """Lose packets of more than `size_bytes`, IP header included; 0: none. Raises HostError."""
        action = filters.steal_larger(size_bytes + ETHERNET_HEADER_BYTES)
        self._filters.put([filters.matchall((action,))] if size_bytes else [])

    def restore(self) -> None:
        """Set it again after `remove`, or after another program took the hook away."""
        self._filters.restore()

    def remove(self) -> None:
        """Lose nothing until `restore`."""
        self._filters.remove()

    def read(self) -> int:
        """Return the size as the kernel has it; 0 without a limit."""
        first = filters.first_action(self._filters.read().get(0, b""))
        if filters.POLICE_TBF not in first:
            return 0
        return u32_at(first[filters.POLICE_TBF], filters.POLICE_MTU_AT) - ETHERNET_HEADER_BYTES
