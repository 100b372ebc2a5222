"""Creation of a link with a router: two forwarding namespaces between the ends, and a veth pair per hop.

    client eth1 -- down-delay [near] up-rate -- down-rate [far] up-delay -- eth1 server

Each interface of the two namespaces is the stage of its name, and shapes what it sends: the pair in the middle has the
rates and their queues, the outer interfaces delay and loss. The ends see one subnet; the ARP entry of the far end holds
the nearest hop. The namespaces between only forward: their addresses are those of ICMP messages.
"""

from dataclasses import dataclass, replace
from functools import partial

from pyroute2 import IPRoute

from pqbed.net.addresses import LANES, AddressPlan, EndAddress, address_plan
from pqbed.net.run_in_namespace import run_in
from pqbed.net.veth_pair import NUD_PERMANENT, Port, configure_end, create_veth, disable_ipv6
from pqbed.spec.link_end_shape import Stage

# Of the namespaces between, which only forward: documentation addresses (RFC 5737), for their ICMP messages.
NEAR_ADDRESS, FAR_ADDRESS = "192.0.2.1", "192.0.2.2"
# Beside eth0, the ends' own pair.
ROUTED_IFNAME = "eth1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterLink:
    """The addresses of the ends, and the path of each stage's namespace; its interface has the name of the stage."""

    addresses: AddressPlan
    stages: dict[Stage, str]


def create_router(lane_index: int, client_ns: str | None, server_ns: str, near_ns: str, far_ns: str) -> RouterLink:
    """Create the link between the namespaces at these paths; `near_ns` and `far_ns` must forward (net/sysctls.py)."""
    # Lanes share no namespace: this only has to differ from the lane's own /30.
    plan = address_plan(LANES - 1 - lane_index)
    client = Port(netns=client_ns, ifname=ROUTED_IFNAME, mac=plan.client.mac)
    server = Port(netns=server_ns, ifname=ROUTED_IFNAME, mac=plan.server.mac)
    stages: dict[Stage, Port] = {
        "down-rate": Port(netns=far_ns, ifname="down-rate", mac="02:72:00:00:00:01"),
        "down-delay": Port(netns=near_ns, ifname="down-delay", mac="02:72:00:00:00:02"),
        "up-rate": Port(netns=near_ns, ifname="up-rate", mac="02:72:00:00:00:03"),
        "up-delay": Port(netns=far_ns, ifname="up-delay", mac="02:72:00:00:00:04"),
    }
    hops = ((client, stages["down-delay"]), (stages["up-rate"], stages["down-rate"]), (stages["up-delay"], server))
    for near, far in hops:
        create_veth(near, far)
    configure_end(client, plan.client, replace(plan.server, mac=stages["down-delay"].mac))
    configure_end(server, plan.server, replace(plan.client, mac=stages["up-delay"].mac))
    configure_stage(stages["down-delay"], plan.client)
    configure_stage(stages["up-rate"], replace(plan.server, mac=stages["down-rate"].mac))
    configure_stage(stages["down-rate"], replace(plan.client, mac=stages["up-rate"].mac))
    configure_stage(stages["up-delay"], plan.server)
    for namespace, address in ((near_ns, NEAR_ADDRESS), (far_ns, FAR_ADDRESS)):
        run_in(namespace, partial(_give_address, address))
    return RouterLink(addresses=plan, stages={name: str(port.netns) for name, port in stages.items()})


def _give_address(address: str) -> None:
    """Give the present namespace an address that its ICMP messages come from."""
    with IPRoute() as kernel:
        (index,) = kernel.link_lookup(ifname="lo")
        kernel.addr("add", index=index, address=address, prefixlen=32)


def configure_stage(port: Port, there: EndAddress) -> None:
    """Bring `port` up, with a route and a static ARP entry for `there`."""
    run_in(port.netns, lambda: _set_up(port.ifname, there))


def _set_up(ifname: str, there: EndAddress) -> None:
    disable_ipv6(ifname)
    with IPRoute() as kernel:
        (index,) = kernel.link_lookup(ifname=ifname)
        kernel.link("set", index=index, state="up")
        kernel.route("add", dst=f"{there.address}/32", oif=index, scope="link")
        kernel.neigh("add", dst=there.address, lladdr=there.mac, ifindex=index, state=NUD_PERMANENT)
