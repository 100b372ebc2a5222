"""IPv4 and MAC addresses of a lane's veth link: a /30 per lane from the benchmarking network. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from pqbed.errors import SpecError

# RFC 2544: reserved for benchmarks, so that it clashes with no other network.
BENCHMARK_NETWORK = IPv4Network("198.18.0.0/15")
LANE_PREFIX = 30
LANES = 1 << (LANE_PREFIX - BENCHMARK_NETWORK.prefixlen)
# The same name as in a container; the two are in different namespaces.
IFNAME = "eth0"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAddress:
    address: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPlan:
    """The addresses of a lane."""

    network: str
    client: EndAddress
    server: EndAddress


def address_plan(lane: int) -> AddressPlan:
    """Return the addresses of lane `lane`: its own /30, the server at .1 and the client at .2."""
    if not 0 <= lane < LANES:
        raise SpecError(f"there is no lane {lane}: {BENCHMARK_NETWORK} has room for {LANES}")
    base = BENCHMARK_NETWORK.network_address + lane * (1 << (32 - LANE_PREFIX))
    return AddressPlan(
        network=f"{base}/{LANE_PREFIX}",
        server=EndAddress(address=str(base + 1), mac=_mac(base + 1)),
        client=EndAddress(address=str(base + 2), mac=_mac(base + 2)),
    )


def _mac(address: IPv4Address) -> str:
    """Return a locally administered address: 02:71 and the IPv4 address."""
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x71, *address.packed))
