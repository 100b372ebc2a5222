"""Cells and exchanges for the expectation of a fetch."""

from typing import Any

from pqbed.model.tls_exchange import Exchange
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import CLASSICAL
from support.units import MS

RTT = 100 * MS
MSS = 1448


def cell_of(
    initcwnd: int = 10,
    rate: int | None = None,
    profile: Profile = CLASSICAL,
    size: int = 0,
    rtt_ns: int = RTT,
    **tcp: Any,
) -> Cell:
    return Cell(
        link=Link(rtt_ns=rtt_ns, bandwidth_bps=rate),
        tcp=Tcp(initcwnd_server=initcwnd, initcwnd_client=initcwnd, **tcp),
        profile=profile,
        workload=Workload(size_bytes=size),
    )


def exchange(server: int = 2 * MSS, response: int = 300, hello: int = 250, client: int = 80) -> Exchange:
    """One write a flight, so that segments are as many as bytes need."""
    return Exchange(client_hello=(hello,), server_flight=(server,), client_flight=(client, 275), response=(response,))
