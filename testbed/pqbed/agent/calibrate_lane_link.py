"""Calibration of a lane's link: shaped as for a fetch, and measured by probers at both ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

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
    path = runner.select_path(link.layout)
    client, server = probers_of(path)
    try:
        runner.set_link(link, tcp, seed)
        state = runner.read_link()
        runner.quiet()
        client.open(path.client_address, path.address)
        server.open(path.address, path.client_address)
        parts = LinkParts.of(link)
        asked = parts.request("client", tcp, seed, clock), parts.request("server", tcp, seed, clock)
        measured = measure_link(client, server, _wire(parts, _LinkSetter(runner, tcp, seed), path), asked)
    finally:
        runner.quiet()
        client.close()
        server.close()
    return Calibration(measured=measured, state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkParts:
    """A link, and what is set of it while one of its properties is measured; None for properties that it lacks.

    `whole` does not change; `bare` has neither drops nor a path MTU, and plain queues; `still` is what can be told
    without chance. What else a part leaves out would disturb its measurement.
    """

    whole: Link
    bare: Link
    dropping: Link | None
    queueing: Link | None
    changing: Link
    disturbing: Link | None
    telling: Link | None

    @classmethod
    def of(cls, link: Link) -> Self:
        whole = steady_link(link)
        plain = with_plain_queues(whole)
        no_drops = replace(_still(whole), drop=NO_DROPS)
        changing = replace(_still(link), drop=NO_DROPS, path_mtu=None, cross_traffic=None, middlebox=None)
        disturbing = replace(_still(with_plain_queues(changing)), trace=None, trace_up=None, outage=None)
        return cls(
            whole=whole,
            bare=replace(plain, drop=NO_DROPS, path_mtu=None),
            dropping=_still(plain) if whole.drop or whole.path_mtu else None,
            queueing=replace(no_drops, path_mtu=None) if plain != whole else None,
            changing=replace(changing, reorder_ppm=0, duplicate_ppm=0, corrupt_ppm=0),
            disturbing=disturbing if disturbing != steady_link(disturbing) else None,
            telling=no_drops if path_mtu_of(whole, "told") else None,
        )

    def request(self, side: Side, tcp: Tcp, seed: int, clock: Clock) -> RequestedDirection:
        """Return what the direction that `side` sends should be."""
        changes = self.changing.trace or self.changing.trace_up or self.changing.outage
        return RequestedDirection(
            shape=shape_direction(self.whole, tcp, side, seed),
            limit=queue_limit(self.whole, tcp, side),
            clock=clock,
            changing=shape_direction(self.changing, tcp, side, seed) if changes else None,
        )


@dataclass(frozen=True, slots=True)
class _LinkSetter:
    """Sets parts of a link on a lane, each on a link that was removed before."""

    runner: FetchRunner
    tcp: Tcp
    seed: int

    def set_and_settle(self, part: Link, number: int = 0) -> None:
        """Set `part` with the seed of that number, and let it settle."""
        self.runner.quiet()
        self.runner.set_link(part, self.tcp, self.seed + number)
        time.sleep(SETTLE_NS / NS_PER_S)

    def set_now(self, part: Link) -> int:
        """Set `part` and return when (CLOCK_REALTIME, ns)."""
        self.runner.quiet()
        self.runner.set_link(part, self.tcp, self.seed)
        return time.time_ns()


def _wire(parts: LinkParts, setter: _LinkSetter, path: NetworkPath) -> Wire:
    def settle(part: Link | None) -> Callable[[], None] | None:
        return None if part is None else partial(setter.set_and_settle, part)

    return Wire(
        reapply=partial(setter.set_and_settle, parts.bare),
        quiet=setter.runner.quiet,
        stage_queues=_stage_queues(path),
        apply_drops=settle(parts.dropping),
        apply_changes=partial(setter.set_now, parts.changing),
        apply_path_mtu=settle(parts.telling),
        apply_disturbances=settle(parts.disturbing),
        apply_queues=settle(parts.queueing),
    )


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
