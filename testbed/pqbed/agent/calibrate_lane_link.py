"""Calibration of a lane's link: shaped as for a fetch, and measured by probers at both ends."""

import time
from collections.abc import Callable
from dataclasses import replace

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_part_interfaces import End
from pqbed.agent.network_path import NetworkPath
from pqbed.calibrate.link_probe import RequestedDirection, StageQueues, Wire
from pqbed.calibrate.measure_link import measure_link
from pqbed.calibrate.measurement import Calibration
from pqbed.calibrate.measurement_schedule import SETTLE_NS
from pqbed.calibrate.prober import Prober
from pqbed.spec.drop_list import NO_DROPS
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.link_end_shape import Stage, queue_limit, shape_direction, with_plain_queues
from pqbed.spec.link_sides import Side, path_mtu_of
from pqbed.spec.run_options import Clock
from pqbed.spec.steady_link import steady_link
from pqbed.spec.tcp import Tcp
from pqbed.units import NS_PER_S


def calibrate(
    runner: FetchRunner,
    probers_of: Callable[[NetworkPath], tuple[Prober, Prober]],
    *,
    link: Link,
    tcp: Tcp,
    seed: int,
    clock: Clock,
) -> Calibration:
    """Measure `link` between the probers of client and server on its path. The lane is quiet afterwards.

    Raises HostError if the kernel does not apply the link.
    """

    def reapply(number: int) -> None:
        settle_link(replace(with_plain_queues(link), drop=NO_DROPS, path_mtu=None), seed + number)

    def apply_drops() -> None:
        settle_link(_still(with_plain_queues(link)), seed)

    def apply_queues() -> None:
        settle_link(replace(_still(link), drop=NO_DROPS, path_mtu=None), seed)

    def apply_changes() -> int:
        runner.quiet()
        runner.set_link(changing, tcp, seed)
        return time.time_ns()

    def apply_disturbances() -> None:
        settle_link(disturbed, seed)

    def apply_path_mtu() -> None:
        settle_link(replace(_still(link), drop=NO_DROPS), seed)

    def settle_link(part: Link, seed: int) -> None:
        runner.quiet()
        runner.set_link(part, tcp, seed)
        time.sleep(SETTLE_NS / NS_PER_S)

    def asked(side: Side) -> RequestedDirection:
        return RequestedDirection(
            shape=shape_direction(link, tcp, side, seed),
            limit=queue_limit(link, tcp, side),
            clock=clock,
            changing=shape_direction(changing, tcp, side, seed) if changing.trace or changing.outage else None,
        )

    path = runner.select_path(link.layout)
    client, server = probers_of(path)
    try:
        runner.set_link(link, tcp, seed)
        state = runner.read_link()
        runner.quiet()
        changing = replace(_still(link), drop=NO_DROPS, path_mtu=None, cross_traffic=None)
        disturbed = replace(_still(with_plain_queues(changing)), trace=None, trace_up=None, outage=None)
        changing = replace(changing, reorder_ppm=0, duplicate_ppm=0, corrupt_ppm=0)
        link = steady_link(link)
        client.open(path.client_address, path.address)
        server.open(path.address, path.client_address)
        wire = Wire(
            reapply=reapply,
            quiet=runner.quiet,
            stage_queues=_stage_queues(path),
            apply_drops=apply_drops if link.drop or link.path_mtu else None,
            apply_changes=apply_changes,
            apply_path_mtu=apply_path_mtu if path_mtu_of(link, "told") else None,
            apply_disturbances=apply_disturbances if disturbed != steady_link(disturbed) else None,
            apply_queues=apply_queues if with_plain_queues(link) != link else None,
        )
        measured = measure_link(client, server, wire, (asked("client"), asked("server")))
    finally:
        runner.quiet()
        client.close()
        server.close()
    return Calibration(measured=measured, state=state)


def _still(link: Link) -> Link:
    """Return `link` without what is drawn at random."""
    return replace(link, loss=RandomLoss(), loss_up=None, jitter_ns=0, jitter_up_ns=None)


def _stage_queues(path: NetworkPath) -> tuple[StageQueues, StageQueues] | None:
    if not path.stages:
        return None
    return _look(path, "up-rate", "up-delay"), _look(path, "down-rate", "down-delay")


def _look(path: NetworkPath, rate: Stage, delay: Stage) -> StageQueues:
    stages: tuple[End, End] = (path.stages[rate], path.stages[delay])

    def whole() -> tuple[int, int]:
        first, second = (stage.queue() for stage in stages)
        return first[0] + second[0], first[1] + second[1]

    return StageQueues(bottleneck=stages[0].queue, whole=whole)
