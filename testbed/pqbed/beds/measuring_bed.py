"""A bed that is built already and starts lanes at once, for what is to be learned of a stack without a sweep."""

from pqbed.artefacts import built_kernels, no_progress
from pqbed.artefacts.guest_kernel import kernel_entry
from pqbed.artefacts.uml_rootfs import fitting_root
from pqbed.beds.bed_interface import Bed
from pqbed.beds.host_checks import check_docker, probe_engine
from pqbed.beds.make_bed import has_images, make_docker, make_uml_processes
from pqbed.spec.stacks import Stack


def find_measuring_bed(stack: Stack) -> Bed | None:
    """Return the bed: guests, or containers that can be shaped; None if neither has `stack` already."""
    own = () if stack.hash else (stack.name,)
    if fitting_root(own).exists() and kernel_entry() in {entry for entry, _ in built_kernels()}:
        return make_uml_processes("virtual", no_progress, None, None)
    if check_docker(probe_engine()).usable and has_images((stack.name,)):
        return make_docker("real", no_progress, None)
    return None
