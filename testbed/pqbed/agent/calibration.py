"""Calibrate the link of a lane: the same shaping as for a fetch, and stations at both ends of it."""

import time
from collections.abc import Callable

from pqbed.agent.fetch_runner import Triple
from pqbed.agent.interfaces import End
from pqbed.agent.network_path import Way
from pqbed.calibrate.measure import Asked, Between, Station, Wire, measure_link
from pqbed.calibrate.measurement import Calibration
from pqbed.calibrate.schedule import SECOND_NS, SETTLE_NS
from pqbed.spec.link import Link
from pqbed.spec.options import Clock
from pqbed.spec.shape import Side, Stage, queue_limit, shape_direction
from pqbed.spec.tcp import Tcp


def calibrate(
    triple: Triple,
    stations_of: Callable[[Way], tuple[Station, Station]],
    *,
    link: Link,
    tcp: Tcp,
    seed: int,
    clock: Clock,
) -> Calibration:
    """Measure `link` between the stations of client and server on its way. The lane is quiet after.

    Raises HostError where the kernel does not take the link.
    """

    def set_anew(number: int) -> None:
        triple.quiet()
        triple.set_link(link, tcp, seed + number)
        time.sleep(SETTLE_NS / SECOND_NS)

    def asked(side: Side) -> Asked:
        return Asked(shape=shape_direction(link, tcp, side, seed), limit=queue_limit(link, tcp, side), clock=clock)

    way = triple.take_way(link.layout)
    client, server = stations_of(way)
    try:
        triple.set_link(link, tcp, seed)
        state = triple.read_link()
        triple.quiet()
        client.open(way.client_address, way.address)
        server.open(way.address, way.client_address)
        wire = Wire(set_anew=set_anew, quiet=triple.quiet, between=_between(way))
        measured = measure_link(client, server, wire, (asked("client"), asked("server")))
    finally:
        triple.quiet()
        client.close()
        server.close()
    return Calibration(measured=measured, state=state)


def _between(way: Way) -> tuple[Between, Between] | None:
    if not way.stages:
        return None
    return _look(way, "up-rate", "up-delay"), _look(way, "down-rate", "down-delay")


def _look(way: Way, rate: Stage, delay: Stage) -> Between:
    stages: tuple[End, End] = (way.stages[rate], way.stages[delay])

    def whole() -> tuple[int, int]:
        first, second = (stage.queue() for stage in stages)
        return first[0] + second[0], first[1] + second[1]

    return Between(bottleneck=stages[0].queue, whole=whole)
