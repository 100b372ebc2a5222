"""The cells of the tests of the layout `router`; read in the guest and outside."""

import itertools
from dataclasses import replace

from pqbed.spec.cell import Cell
from pqbed.spec.link import Layout, Link
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MBIT, MS

TCP = Tcp(initcwnd_server=20, initcwnd_client=20)
PROFILES = (CLASSICAL, PQ)
LAYOUTS: tuple[Layout, ...] = ("ends", "router")


def cell(link: Link, size_kib: int = 200, profile: Profile = CLASSICAL) -> Cell:
    return Cell(link=link, tcp=TCP, profile=profile, workload=Workload(size_bytes=size_kib * KIB))


# Without loss, and with room for all that the windows let out. The layouts alternate, as they do in a block.
GRID = tuple(
    cell(Link(rtt_ns=rtt_ms * MS, bandwidth_bps=rate, bandwidth_up_bps=up, layout=layout), size_kib, profile)
    for rtt_ms, (rate, up), size_kib, profile, layout in itertools.product(
        (35, 200), ((MBIT, None), (100 * MBIT, MBIT), (None, None)), (0, 200), PROFILES, LAYOUTS
    )
)
SHORT = Link(rtt_ns=35 * MS, bandwidth_bps=MBIT, queue_packets=10)
JITTERY = Link(rtt_ns=35 * MS, bandwidth_bps=10 * MBIT, jitter_ns=3 * MS, distribution="normal", layout="router")
SPECIAL = {
    **{f"short {layout}": cell(replace(SHORT, layout=layout)) for layout in LAYOUTS},
    "short again": cell(replace(SHORT, layout="router")),
    "jittery": cell(JITTERY),
    # On both sides of what these 50 KiB need, as the expectation counts it.
    **{f"queue {packets}": cell(replace(SHORT, layout="router", queue_packets=packets), 50) for packets in (24, 25)},
}
