"""Measure links before they are believed: which, by whom and when; judged and kept at once."""

import socket
import threading
from collections.abc import Callable, Collection

from pqbed.beds.bed import Bed, Lane
from pqbed.calibrate.judge import Deviation, judge
from pqbed.calibrate.measurement import Calibration
from pqbed.errors import HostError
from pqbed.plan import Plan, calibration_seed
from pqbed.runner.events import LinkCalibrated, SweepEvent
from pqbed.runner.links import LinkQueue
from pqbed.spec.options import Calibrate
from pqbed.store.calibration import calibration_row
from pqbed.store.manifest import utc_now
from pqbed.store.run import Run


class Calibrator:
    """Shared by the lanes of one sweep. `once`: what `run` holds of an earlier process counts."""

    def __init__(self, plan: Plan, bed: Bed, run: Run, when: Calibrate, tell: Callable[[SweepEvent], None]) -> None:
        self._bed, self._run, self._when, self._tell = bed, run, when, tell
        self._seed = plan.seed
        self._links = {} if when == "off" else plan.links
        names = {pair: identity for identity, pair in self._links.items()}
        self._link_of = {identity: names.get((cell.link, cell.tcp)) for identity, cell in plan.cells.items()}
        self._shared = LinkQueue(run.calibration()["link_id"].to_list() if when == "once" else ())

    def queue_of_lane(self) -> LinkQueue:
        """Return what a lane that has just opened takes its links from."""
        return LinkQueue() if self._when == "always" else self._shared

    def calibrate(self, lane: Lane, links: LinkQueue, cells: Collection[str], stop: threading.Event) -> None:
        """See to it that the links of `cells` are calibrated, on this lane or another one.

        Raises LaneError where the lane is lost.
        """
        among = set(self._links) if self._when == "always" else {self._link_of[cell] for cell in cells}
        wanted = [identity for identity in self._links if identity in among]
        while (identity := links.take(wanted, stop)) is not None:
            try:
                self._measure(lane, identity)
                links.finish(identity)
            finally:
                links.give_back(identity)

    def _measure(self, lane: Lane, identity: str) -> None:
        link, tcp = self._links[identity]
        calibration: Calibration | None = None
        deviations: tuple[Deviation, ...]
        try:
            calibration = lane.calibrate(link, tcp, calibration_seed(self._seed, identity))
            deviations = judge(link, tcp, calibration.measured, self._bed.clock)
        except HostError as error:  # the kernel did not take it: its fetches will say so too
            deviations = (Deviation(what="link", asked="", achieved=error.message),)
        row = calibration_row(
            link,
            tcp,
            calibration,
            deviations,
            link_id=identity,
            lane=lane.index,
            measured_at=utc_now(),
            bed=self._bed.name,
            clock=self._bed.clock,
            kernel=lane.facts.kernel,
            host=socket.gethostname(),
        )
        self._run.add_calibration(row)
        self._tell(LinkCalibrated(lane=lane.index, link=link, tcp=tcp, deviations=deviations))
