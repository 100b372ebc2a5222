"""The cells of the tests of links that change; read in the guest and outside."""

from dataclasses import replace

from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.link_timeline import LinkTrace, Outage, TraceStep
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL
from support.units import KIB, MBIT, MS

PROFILES = (CLASSICAL,)
SEEDS = (1, 2, 3)
RTT_NS = 80 * MS
# After the ClientHello has left, and before the server's flight does.
OUT_AT_NS = 100 * MS
OUTAGES_MS = (60, 300, 600, 1500, 3000)
PLAIN = Link(rtt_ns=RTT_NS)
STEADY = Link(rtt_ns=RTT_NS, bandwidth_bps=MBIT, layout="router", queue_packets=2000)
TWO_RATES = LinkTrace(
    name="two rates",
    steps=(TraceStep(at_ns=0, rate_bps=MBIT), TraceStep(at_ns=400 * MS, rate_bps=4 * MBIT)),
    period_ns=1000 * MS,
)
SLOWER = LinkTrace(
    name="slower",
    steps=(TraceStep(at_ns=0, delay_ns=20 * MS), TraceStep(at_ns=250 * MS, delay_ns=80 * MS, loss_ppm=0)),
    period_ns=500 * MS,
)


def cell(link: Link, size_kib: int = 0) -> Cell:
    tcp = Tcp(initcwnd_server=500, initcwnd_client=20, initrwnd=1000)
    return Cell(link=link, tcp=tcp, profile=CLASSICAL, workload=Workload(size_bytes=size_kib * KIB))


CELLS = {
    "whole": cell(PLAIN),
    **{
        f"out {for_ms}": cell(replace(PLAIN, outage=Outage(at_ns=OUT_AT_NS, for_ns=for_ms * MS)))
        for for_ms in OUTAGES_MS
    },
    "out in the router": cell(
        replace(PLAIN, layout="router", outage=Outage(at_ns=OUT_AT_NS, for_ns=OUTAGES_MS[0] * MS))
    ),
    "steady": cell(STEADY, 400),
    "two rates": cell(replace(STEADY, trace=TWO_RATES), 400),
    "slower": cell(replace(PLAIN, trace=SLOWER)),
}
