"""A cell: one link x tcp x profile x workload."""

from dataclasses import dataclass

from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One point of the grid; its identity is `pqbed.plan.cell_id`."""

    link: Link
    tcp: Tcp
    profile: Profile
    workload: Workload
