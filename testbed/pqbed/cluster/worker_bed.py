"""The bed of a worker: as the coordinator's, made in the worker's process."""

from pqbed.artefacts import no_progress
from pqbed.beds.bed_interface import Bed, BedName
from pqbed.beds.make_bed import MAKERS, make_uml
from pqbed.spec.run_options import Clock


def make_worker_bed(name: BedName, clock: Clock, kernel: str | None) -> Bed:
    """Make the bed `name`; `kernel` is the series of its guests' kernel, None the default one."""
    if kernel is not None:
        return make_uml(clock, no_progress, None, kernel)
    return MAKERS[name](clock, no_progress, None)
