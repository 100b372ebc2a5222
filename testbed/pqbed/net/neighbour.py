"""Fix where the other end of a link is, so that nobody asks for it."""

from pyroute2 import IPRoute

from pqbed.net.link import NUD_PERMANENT


def set_neighbour(ifname: str, address: str, mac: str) -> None:
    """Enter `address` at `mac` for good, in the present namespace. Needs NET_ADMIN."""
    with IPRoute() as kernel:
        (index,) = kernel.link_lookup(ifname=ifname)
        kernel.neigh("replace", dst=address, lladdr=mac, ifindex=index, state=NUD_PERMANENT)
