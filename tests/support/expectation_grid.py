"""The cells in which the expectation is held against the guest; read on both sides."""

import itertools
from typing import Any

from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MBIT, MS

PROFILES = (
    CLASSICAL,
    Profile(name="ecdsa", group="X25519", chain=Chain(algorithm="p256")),
    PQ,
    Profile(name="large", group="X25519MLKEM768", chain=Chain(algorithm="rsa2048", wire_bytes=30_000)),
)
# With a chain of 15 KB the first flight is larger than either window of the grid.
LARGEST = Profile(name="mldsa87", group="X25519MLKEM768", chain=Chain(algorithm="mldsa87", depth=3))
MUTUAL = Profile(name="mutual", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65"), mutual=True)


def make_cell(profile: Profile, rtt_ms: int, rate_mbit: int, initcwnd: int, size_kib: int, **tcp: Any) -> Cell:
    return Cell(
        link=Link(rtt_ns=rtt_ms * MS, bandwidth_bps=rate_mbit * MBIT or None),
        tcp=Tcp(initcwnd_server=initcwnd, initcwnd_client=initcwnd, **tcp),
        profile=profile,
        workload=Workload(size_bytes=size_kib * KIB),
    )


GRID = tuple(
    make_cell(profile, rtt_ms, rate_mbit, initcwnd, size_kib)
    for rtt_ms, rate_mbit, initcwnd, size_kib, profile in itertools.product(
        (35, 200), (1, 100, 1000), (10, 20), (0, 20, 50, 100, 200, 400), PROFILES
    )
)
# Beyond the grid: a window wider than the receiver's first one, one that is set, mutual authentication, no rate limit.
EDGES = (
    make_cell(PROFILES[0], 35, 0, 200, 400),
    make_cell(PROFILES[0], 200, 1000, 60, 400),
    make_cell(PROFILES[2], 35, 100, 60, 200, initrwnd=10),
    make_cell(PROFILES[0], 35, 1000, 20, 4096),
    make_cell(LARGEST, 35, 100, 10, 20),
    make_cell(LARGEST, 200, 1000, 20, 100),
    make_cell(MUTUAL, 35, 100, 10, 20),
    make_cell(MUTUAL, 200, 1, 10, 20),
)
