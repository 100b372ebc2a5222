"""Addresses of a lane's network, from the range for benchmarks (RFC 2544), which no real network uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from pqbed.errors import SpecError
from pqbed.net.addresses import BENCHMARK_NETWORK
from pqbed.spec.shape import STAGES, Stage

# Room for the ends, a router's stages, and a gateway, which engines require even without a way out.
LANE_PREFIX = 28
LANE_SIZE = 1 << (32 - LANE_PREFIX)
LANES = BENCHMARK_NETWORK.num_addresses // LANE_SIZE


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


def lane_addresses(index: int) -> LaneAddresses:
    """Return the addresses of lane `index`: server .1, client .2, stages from .3 on, gateway .14 of its /28."""
    if not 0 <= index < LANES:
        raise SpecError(f"there is no lane {index}: {BENCHMARK_NETWORK} has room for {LANES}")
    base = BENCHMARK_NETWORK.network_address + index * LANE_SIZE
    return LaneAddresses(
        subnet=f"{base}/{LANE_PREFIX}",
        gateway=str(base + LANE_SIZE - 2),
        server=_address(base + 1),
        client=_address(base + 2),
        stages={stage: _address(base + place) for place, stage in enumerate(STAGES, 3)},
    )


def _address(address: IPv4Address) -> Address:
    """The MAC address is locally administered: 02:71 and the IPv4 address."""
    return Address(address=str(address), mac=":".join(f"{byte:02x}" for byte in (0x02, 0x71, *address.packed)))
