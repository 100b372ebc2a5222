"""Calibrate the link of a lane: the same shaping as for a fetch, and stations at both ends of it."""

import time

from pqbed.agent.triple import Triple
from pqbed.calibrate.measure import Station, Wire, measure_link
from pqbed.calibrate.measured import Calibration
from pqbed.calibrate.schedule import SECOND_NS, SETTLE_NS
from pqbed.net.shape import shape_end
from pqbed.spec.link import Link
from pqbed.spec.options import Clock
from pqbed.spec.tcp import Tcp


def calibrate(
    triple: Triple,
    stations: tuple[Station, Station],
    addresses: tuple[str, str],
    *,
    link: Link,
    tcp: Tcp,
    seed: int,
    clock: Clock,
) -> Calibration:
    """Measure `link` between the `stations` of client and server, which are at `addresses`. The lane is quiet after.

    Raises HostError where the kernel does not take the link.
    """
    client, server = stations

    def set_anew(number: int) -> None:
        triple.quiet()
        triple.set_link(link, tcp, seed + number)
        time.sleep(SETTLE_NS / SECOND_NS)

    triple.set_link(link, tcp, seed)
    state = triple.read_link()
    triple.quiet()
    shapes = (shape_end(link, tcp, "client", seed), shape_end(link, tcp, "server", seed))
    try:
        client.open(addresses[0], addresses[1])
        server.open(addresses[1], addresses[0])
        measured = measure_link(client, server, Wire(set_anew=set_anew, quiet=triple.quiet), shapes, clock)
    finally:
        triple.quiet()
        client.close()
        server.close()
    return Calibration(measured=measured, state=state)
