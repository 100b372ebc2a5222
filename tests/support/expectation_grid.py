"""The cells in which the expectation is held against the guest; read on both sides."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

from pqbed.spec.cell import Cell
from pqbed.spec.link import Layout, Link
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MBIT, MS

LAYOUTS: tuple[Layout, ...] = ("ends", "router")

PROFILES = (
    CLASSICAL,
    Profile(name="ecdsa", group="X25519", chain=Chain(algorithm="p256")),
    PQ,
    Profile(name="large", group="X25519MLKEM768", chain=Chain(algorithm="rsa2048", wire_bytes=30_000)),
)
# With a chain of 15 KB the first flight is larger than either window of the grid.
LARGEST = Profile(name="mldsa87", group="X25519MLKEM768", chain=Chain(algorithm="mldsa87", depth=3))
MUTUAL = Profile(name="mutual", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65"), mutual=True)
ALL_PROFILES = (*PROFILES, LARGEST, MUTUAL)


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
# Beyond the grid: a window wider than the receiver's first one, one that is set, long responses, large frames.
EDGES = (
    make_cell(PROFILES[0], 200, 1000, 60, 400),
    make_cell(PROFILES[2], 35, 100, 60, 200, initrwnd=10),
    make_cell(PROFILES[0], 35, 1000, 20, 4096),
    make_cell(PROFILES[0], 200, 1000, 20, 8192),
    make_cell(PROFILES[0], 100, 1000, 10, 8192),
    make_cell(PROFILES[2], 35, 1000, 10, 400, mtu=9000),
    make_cell(LARGEST, 35, 100, 10, 20),
    make_cell(LARGEST, 200, 1000, 20, 100),
    make_cell(MUTUAL, 35, 100, 10, 20),
    make_cell(MUTUAL, 200, 1, 10, 20),
)


def on_link(cell: Cell, **link: Any) -> Cell:
    return replace(cell, link=replace(cell.link, **link))


def in_both_layouts(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    return tuple(on_link(cell, layout=layout) for cell in cells for layout in LAYOUTS)


# Timers fire before an answer can come, behind a router more often than at the ends.
SLOW = in_both_layouts(
    on_link(make_cell(profile, rtt_ms, 1, initcwnd, size_kib), bandwidth_bps=rate)
    for rate, rtt_ms, initcwnd, size_kib, profile in itertools.product(
        (9_600, 14_400, 48_000, 96_000), (35, 200), (10, 20), (0, 20), (PROFILES[0], PROFILES[2])
    )
)
# SYN and SYN-ACK are sent again after a second.
FAR = in_both_layouts(
    make_cell(profile, rtt_ms, 1, 10, size_kib)
    for rtt_ms, size_kib, profile in itertools.product((1_000, 1_800, 2_600), (0, 20), (PROFILES[0], PROFILES[2]))
)
# Of access links the way up is the slower one.
RATES = ((10 * MBIT, MBIT), (100 * MBIT, 10 * MBIT), (MBIT, 256_000), (256_000, 64_000), (MBIT, 10 * MBIT), (MBIT, 0))
UPLINKS = in_both_layouts(
    on_link(make_cell(profile, 35, 1, 10, size_kib), bandwidth_bps=down, bandwidth_up_bps=up)
    for (down, up), size_kib, profile in itertools.product(RATES, (0, 20, 200), (PROFILES[0], PROFILES[2], MUTUAL))
    if up or profile != MUTUAL
)
SMALL_WINDOWS = in_both_layouts(
    make_cell(profile, rtt_ms, rate, initcwnd, size_kib)
    for (rtt_ms, rate), initcwnd, size_kib, profile in itertools.product(
        ((35, 1), (200, 10)), (1, 2, 3, 4), (0, 20, 200), (PROFILES[0], PROFILES[2], MUTUAL)
    )
)
# Without a rate down: what fits into one window.
FREE = in_both_layouts(
    on_link(make_cell(profile, 35, 0, 20, size_kib), bandwidth_up_bps=up)
    for up, size_kib, profile in itertools.product((None, MBIT), (0, 10, 20), (PROFILES[0], PROFILES[2]))
)


def random_cell(random: Random) -> Cell:
    """Return any cell: links from 64 kbit/s to 1 Gbit/s and from 5 to 1000 ms, alike or not up and down."""
    rate = round(10 ** random.uniform(4.8, 9))
    profile = random.choice(ALL_PROFILES)
    up = random.choice((None, None, rate if profile.mutual else 0, rate // 2, rate // 4, rate // 10, 2 * rate))
    initcwnd = random.choice((1, 2, 3, 4, 6, 8, 10, 10, 15, 20, 30, 60))
    size_kib = min(random.choice((0, 1, 5, 20, 50, 100, 200, 400, 1000)), rate // 100_000 * 100)
    cell = make_cell(profile, 1, 1, initcwnd, size_kib)
    return on_link(
        cell,
        rtt_ns=round(10 ** random.uniform(0.7, 3) * MS),
        bandwidth_bps=rate,
        bandwidth_up_bps=max(up, 16_000) if up else up,
        layout=random.choice(LAYOUTS),
    )


def random_slow_cell(random: Random) -> Cell:
    """Return a cell from 10 kbit/s to 1 Mbit/s: much is sent again in vain, and taken back."""
    rate = round(10 ** random.uniform(4, 6))
    profile = random.choice((PROFILES[0], PROFILES[2], PROFILES[3], LARGEST, MUTUAL))
    cell = make_cell(profile, 1, 1, random.choice((1, 2, 3, 4, 10, 20, 30)), random.choice((0, 1, 5, 20, 50, 100)))
    up = random.choice((rate, rate, rate // 2, rate // 4))
    return on_link(
        cell,
        rtt_ns=round(10 ** random.uniform(1, 3.5) * MS),
        bandwidth_bps=rate,
        bandwidth_up_bps=max(up, 9_600),
        layout=random.choice(LAYOUTS),
    )


ANY = tuple(map(random_cell, itertools.repeat(Random(20261126), 200)))
ANY_SLOW = tuple(map(random_slow_cell, itertools.repeat(Random(20261127), 200)))
# Long enough for CUBIC to leave slow start, and for the window of the receiver to grow.
LONG = in_both_layouts(
    make_cell(PROFILES[0], rtt_ms, rate_mbit, initcwnd, size_kib)
    for rtt_ms, rate_mbit, initcwnd, size_kib in itertools.product((20, 100, 300), (10, 100, 1000), (10, 20), (2048,))
)
FAMILIES = {
    "grid": GRID,
    "edges": EDGES,
    "slow": SLOW,
    "far": FAR,
    "uplinks": UPLINKS,
    "small windows": SMALL_WINDOWS,
    "no rate": FREE,
    "any": ANY,
    "any slow": ANY_SLOW,
    "long": LONG,
}
