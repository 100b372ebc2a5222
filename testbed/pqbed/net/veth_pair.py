"""Creation of a lane's link: a veth pair between two namespaces, with fixed addresses and static ARP entries."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute

from pqbed.errors import HostError
from pqbed.net.addresses import IFNAME, LANE_PREFIX, AddressPlan, EndAddress, address_plan
from pqbed.net.run_in_namespace import run_in

NUD_PERMANENT = 0x80


def create_link(lane_index: int, client_ns: str | None, server_ns: str | None) -> AddressPlan:
    """Create a veth pair between the namespaces at these paths, up and addressed; it ends with either of them.

    ARP entries are static, so that no fetch pays for ARP, and IPv6 is off on both ends: its own packets
    would draw from netem's random stream.
    """
    plan = address_plan(lane_index)
    client = Port(netns=client_ns, ifname=IFNAME, mac=plan.client.mac)
    server = Port(netns=server_ns, ifname=IFNAME, mac=plan.server.mac)
    create_veth(client, server)
    configure_end(client, plan.client, plan.server)
    configure_end(server, plan.server, plan.client)
    return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One end of a veth pair: its name in the namespace at path `netns` (None: the present one)."""

    netns: str | None
    ifname: str
    mac: str


def create_veth(near: Port, far: Port) -> None:
    """Create the veth pair of two ports."""
    run_in(near.netns, lambda: _make_veth(near, far))


def configure_end(port: Port, here: EndAddress, there: EndAddress) -> None:
    """Bring `port` up with the address `here`, and a static ARP entry for `there`."""
    run_in(port.netns, lambda: _set_up(port.ifname, here, there))


def _make_veth(near: Port, far: Port) -> None:
    try:
        far_ns = os.open(far.netns or "/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)  # self: the process
    except FileNotFoundError:
        raise HostError(f"there is no network namespace {far.netns}") from None
    try:
        peer = {"ifname": far.ifname, "address": far.mac, "net_ns_fd": far_ns}
        with IPRoute() as kernel:
            kernel.link("add", ifname=near.ifname, kind="veth", address=near.mac, peer=peer)
    finally:
        os.close(far_ns)


def _set_up(ifname: str, here: EndAddress, there: EndAddress) -> None:
    disable_ipv6(ifname)
    with IPRoute() as kernel:
        (index,) = kernel.link_lookup(ifname=ifname)
        (loopback,) = kernel.link_lookup(ifname="lo")
        kernel.link("set", index=loopback, state="up")
        kernel.addr("add", index=index, address=here.address, prefixlen=LANE_PREFIX)
        kernel.link("set", index=index, state="up")
        kernel.neigh("add", dst=there.address, lladdr=there.mac, ifindex=index, state=NUD_PERMANENT)


def disable_ipv6(ifname: str) -> None:
    """Turn IPv6 off on an interface of the present namespace."""
    with suppress(FileNotFoundError):  # a kernel without IPv6
        Path(f"/proc/sys/net/ipv6/conf/{ifname}/disable_ipv6").write_text("1")
