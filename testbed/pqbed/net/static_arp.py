"""Static ARP entry for the far end of a link, so that no fetch pays for ARP."""

from pyroute2 import IPRoute

from pqbed.net.veth_pair import NUD_PERMANENT


def set_neighbour(ifname: str, address: str, mac: str) -> None:
    """Install a permanent entry of `address` at `mac`, in the present namespace. Needs NET_ADMIN."""
    with IPRoute() as kernel:
        (index,) = kernel.link_lookup(ifname=ifname)
        kernel.neigh("replace", dst=address, lladdr=mac, ifindex=index, state=NUD_PERMANENT)
