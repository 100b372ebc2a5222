"""The cells of the test of MTUs; read in the guest and outside."""

import itertools
from typing import get_args

from pqbed.spec.cell import Cell
from pqbed.spec.link import Layout, Link
from pqbed.spec.middlebox import parse_middlebox
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MBIT, MS

PROFILES = (CLASSICAL, PQ)
MTUS = (576, 1000, 1280, 1400, 1492, 1500, 3000, 9000)
CELLS = tuple(
    Cell(
        link=Link(rtt_ns=100 * MS),
        tcp=Tcp(initcwnd_server=100, initcwnd_client=20, mtu=mtu),
        profile=profile,
        workload=Workload(size_bytes=0),
    )
    for mtu in MTUS
    for profile in PROFILES
)
# What smaller segments take: of the ends' own MTU, and of a path that clamps the MSS.
LONGER = tuple(
    Cell(
        link=Link(
            rtt_ns=rtt_ms * MS,
            bandwidth_bps=rate,
            path_mtu=PathMtu(size_bytes=mtu, handling="clamped") if clamped else None,
        ),
        tcp=Tcp(initcwnd_server=20, initcwnd_client=20, mtu=1500 if clamped else mtu),
        profile=profile,
        workload=Workload(size_bytes=size_kib * KIB),
    )
    for mtu, clamped, rtt_ms, rate, profile, size_kib in itertools.product(
        (576, 1280, 1492), (False, True), (35, 200), (MBIT, 100 * MBIT), PROFILES, (0, 200)
    )
)


def routed(profile: Profile, path_mtu: PathMtu | None, rate_bps: int | None = None) -> Cell:
    return Cell(
        link=Link(rtt_ns=100 * MS, bandwidth_bps=rate_bps, layout="router", path_mtu=path_mtu),
        tcp=Tcp(initcwnd_server=20, initcwnd_client=20),
        profile=profile,
        workload=Workload(size_bytes=20 * KIB),
    )


# In this order: what an ICMP message tells must not be known to the fetch after it.
TOLD = PathMtu(size_bytes=1400, handling="told")
ROUTED = {
    "slow": routed(PQ, None, MBIT),
    **{f"told {profile.name}": routed(profile, TOLD) for profile in PROFILES},
    "told slow": routed(PQ, TOLD, MBIT),
    "slow again": routed(PQ, None, MBIT),
}


def behind(text: str, profile: Profile, mtu: int, layout: Layout) -> Cell:
    link = Link(rtt_ns=100 * MS, layout=layout, middlebox=parse_middlebox(text, bare=False))
    return Cell(link=link, tcp=Tcp(mtu=mtu), profile=profile, workload=Workload(size_bytes=0))


# The TLS record of the hybrid ClientHello has 1,423 bytes, that of the classical one 247.
MIDDLEBOXES = ("hello-tail", "hello-above:1422", "hello-above:1423")
BOXED = {
    f"{text} {profile.name} {mtu} {layout}": behind(text, profile, mtu, layout)
    for text, profile, mtu, layout in itertools.product(MIDDLEBOXES, PROFILES, (1280, 1500), get_args(Layout))
}
