"""Calibration of links before sampling: each is measured, judged and stored by one lane."""

import socket
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pqbed.beds.bed_interface import Bed, Lane
from pqbed.calibrate.deviations import Deviation, judge
from pqbed.calibrate.measurement import Calibration
from pqbed.errors import HostError
from pqbed.plan import Plan, calibration_seed
from pqbed.runner.link_queue import LinkQueue
from pqbed.runner.sweep_events import LinkCalibrated, SweepEvent
from pqbed.spec.run_options import Calibrate
from pqbed.store.calibration_table import calibration_row
from pqbed.store.manifest import utc_now


class Calibrator:
    """Shared by the lanes of one sweep. `once`: the links `done` by an earlier process count.

    `store` keeps a row of `store.calibration.CALIBRATION`.
    """

    def __init__(
        self,
        plan: Plan,
        bed: Bed,
        when: Calibrate,
        *,
        done: Collection[str],
        store: Callable[[Mapping[str, Any]], None],
        emit: Callable[[SweepEvent], None],
    ) -> None:
        self._bed, self._store, self._when, self._emit = bed, store, when, emit
        self._seed = plan.seed
        self._links = {} if when == "off" else plan.links
        ids = {pair: link_id for link_id, pair in self._links.items()}
        self._link_of = {cell_id: ids.get((cell.link, cell.tcp)) for cell_id, cell in plan.cells.items()}
        self._shared = LinkQueue(done if when == "once" else ())

    def queue_of_lane(self) -> LinkQueue:
        """Return the queue of links for a lane that has just opened."""
        return LinkQueue() if self._when == "always" else self._shared

    def skip(self, link_id: str) -> None:
        """Take a link for calibrated: another process does it."""
        self._shared.finish(link_id)

    def calibrate(self, lane: Lane, links: LinkQueue, cells: Collection[str], stop: threading.Event) -> None:
        """Calibrate the links of `cells`, or wait for the lanes that do.

        Raises LaneError if the lane is lost.
        """
        among = set(self._links) if self._when == "always" else {self._link_of[cell] for cell in cells}
        wanted = [link_id for link_id in self._links if link_id in among]
        while (link_id := links.take(wanted, stop)) is not None:
            try:
                self._measure(lane, link_id)
                links.finish(link_id)
            finally:
                links.give_back(link_id)

    def _measure(self, lane: Lane, link_id: str) -> None:
        link, tcp = self._links[link_id]
        calibration: Calibration | None = None
        deviations: tuple[Deviation, ...]
        try:
            calibration = lane.calibrate(link, tcp, calibration_seed(self._seed, link_id))
            deviations = judge(link, tcp, calibration.measured, self._bed.clock)
        except HostError as error:  # the kernel refused it: its fetches will report that too
            deviations = (Deviation(what="link", asked="", achieved=error.message),)
        row = calibration_row(
            link,
            tcp,
            calibration,
            deviations,
            link_id=link_id,
            lane=lane.index,
            measured_at=utc_now(),
            bed=self._bed.name,
            clock=self._bed.clock,
            kernel=lane.facts.kernel,
            host=socket.gethostname(),
        )
        self._store(row)
        self._emit(LinkCalibrated(lane=lane.index, link=link, tcp=tcp, deviations=deviations))
