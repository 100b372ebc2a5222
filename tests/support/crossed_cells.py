"""The cells of the tests of cross traffic; read in the guest and outside."""

from dataclasses import replace

from pqbed.spec.cell import Cell
from pqbed.spec.cross_traffic import CrossTraffic, parse_cross_traffic
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MBIT, MS

PROFILES = (CLASSICAL, PQ)
LINK = Link(rtt_ns=50 * MS, bandwidth_bps=MBIT, layout="router")
NARROW = replace(LINK, bandwidth_bps=300_000)


def flows(text: str) -> CrossTraffic | None:
    return parse_cross_traffic(text, bare=False)


def cell(link: Link, traffic: str, *, size_kib: int = 0, ecn: bool = False) -> Cell:
    crossed = replace(link, cross_traffic=flows(traffic))
    profile = CLASSICAL if size_kib else PQ
    return Cell(link=crossed, tcp=Tcp(ecn=ecn), profile=profile, workload=Workload(size_bytes=size_kib * KIB))


CELLS = {
    "alone": cell(LINK, "none", size_kib=1000),
    "half of it udp": cell(LINK, "down:udp:500kbit", size_kib=1000),
    "bbr up": cell(LINK, "up:2:bbr"),
    "both ways": cell(replace(LINK, layout="ends"), "down:1:reno+up:1@2s"),
    "bloated": cell(NARROW, "down:1@40s"),
    "fq_codel": cell(replace(NARROW, queue_discipline="fq_codel"), "down:1@40s"),
    "marked": cell(replace(NARROW, queue_discipline="fq_codel"), "down:1@40s", ecn=True),
    "deaf": cell(replace(LINK, loss_up=RandomLoss(probability_ppm=1_000_000)), "down:1"),
    "no such control": cell(LINK, "down:1:nonesuch"),
    "alone again": cell(LINK, "none", size_kib=1000),
}
