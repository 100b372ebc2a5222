"""The cells of the tests of queues that netem has not; read in the guest and outside."""

from dataclasses import replace
from typing import get_args

from pqbed.spec.cell import Cell
from pqbed.spec.link import Link, QueueDiscipline
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL, PQ
from support.units import KIB, MBIT, MS

PROFILES = (CLASSICAL, PQ)
LINK = Link(rtt_ns=35 * MS, bandwidth_bps=MBIT, layout="router")
DISCIPLINES: tuple[QueueDiscipline, ...] = get_args(QueueDiscipline)


def cell(link: Link, size_kib: int = 0, *, profile: Profile = CLASSICAL, ecn: bool = False) -> Cell:
    tcp = Tcp(initcwnd_server=20, initcwnd_client=20, ecn=ecn)
    return Cell(link=link, tcp=tcp, profile=profile, workload=Workload(size_bytes=size_kib * KIB))


CELLS = {
    "netem": cell(LINK, 50),
    "bytes": cell(replace(LINK, queue_bytes=64 * KIB), 50),
    "time": cell(replace(LINK, queue_ns=500 * MS), 50),
    "few bytes": cell(replace(LINK, queue_bytes=9 * KIB), 50),
    **{f"whole {name}": cell(replace(LINK, queue_discipline=name), profile=PQ) for name in DISCIPLINES},
    **{f"long {name}": cell(replace(LINK, queue_discipline=name), 1000) for name in DISCIPLINES},
    **{f"marked {name}": cell(replace(LINK, queue_discipline=name), 1000, ecn=True) for name in DISCIPLINES},
}
