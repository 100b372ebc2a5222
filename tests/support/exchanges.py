"""Cells and exchanges for the expectation of a fetch."""

from pqbed.model.exchange import Exchange
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

MS = 1_000_000

RTT = 100 * MS

MSS = 1448

CLASSICAL = Profile(name="classical", group="X25519", chain=Chain(algorithm="rsa2048"))


def cell_of(initcwnd=10, rate=None, profile=CLASSICAL, size=0, rtt_ns=RTT, **tcp):
    return Cell(
        link=Link(rtt_ns=rtt_ns, bandwidth_bps=rate),
        tcp=Tcp(initcwnd_server=initcwnd, initcwnd_client=initcwnd, **tcp),
        profile=profile,
        workload=Workload(size_bytes=size),
    )


def exchange(server=2 * MSS, response=300, hello=250, client=80):
    """One write a flight, so that segments are as many as bytes need."""
    return Exchange(client_hello=(hello,), server_flight=(server,), client_flight=(client, 275), response=(response,))
