"""Addresses of lanes' networks, from the range for benchmarks (RFC 2544), which no real network uses.

The range is cut into slots, one per lane of an engine, whoever runs it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network

from pqbed.errors import SpecError
from pqbed.net.addresses import BENCHMARK_NETWORK
from pqbed.spec.link_end_shape import STAGES, Stage

# Room for the ends, a router's stages, and a gateway, which engines require even without a way out.
SLOT_PREFIX = 28
SLOT_SIZE = 1 << (32 - SLOT_PREFIX)
SLOTS = BENCHMARK_NETWORK.num_addresses // SLOT_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Fixed address of one end, so that neither side ever sends ARP requests."""

    address: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAddresses:
    """The network of a lane."""

    subnet: str
    gateway: str
    server: Address
    client: Address
    stages: Mapping[Stage, Address]


def slot_addresses(slot: int) -> LaneAddresses:
    """Return the addresses in `slot`: server .1, client .2, stages from .3 on, gateway .14 of its /28."""
    if not 0 <= slot < SLOTS:
        raise SpecError(f"there is no lane {slot}: {BENCHMARK_NETWORK} has room for {SLOTS}")
    base = BENCHMARK_NETWORK.network_address + slot * SLOT_SIZE
    return LaneAddresses(
        subnet=f"{base}/{SLOT_PREFIX}",
        gateway=str(base + SLOT_SIZE - 2),
        server=_address(base + 1),
        client=_address(base + 2),
        stages={stage: _address(base + place) for place, stage in enumerate(STAGES, 3)},
    )


def free_slots(subnets: Iterable[str]) -> Iterator[int]:
    """Yield the slots, lowest first, that none of `subnets` (networks of the engine, as CIDR) overlaps."""
    networks = [ip_network(subnet, strict=False) for subnet in subnets]
    taken = [net for net in networks if isinstance(net, IPv4Network) and net.overlaps(BENCHMARK_NETWORK)]
    for slot in range(SLOTS):
        base = BENCHMARK_NETWORK.network_address + slot * SLOT_SIZE
        if not any(net.overlaps(IPv4Network((base, SLOT_PREFIX))) for net in taken):
            yield slot


def _address(address: IPv4Address) -> Address:
    """The MAC address is locally administered: 02:71 and the IPv4 address."""
    return Address(address=str(address), mac=":".join(f"{byte:02x}" for byte in (0x02, 0x71, *address.packed)))
