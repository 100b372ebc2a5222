"""Labels of our containers, networks and volumes: `pqbed down` removes by these only."""

from collections.abc import Mapping
from typing import Literal, get_args

from pqbed.spec.shape import Stage

BED = "io.pqbed.bed"
LANE = "io.pqbed.lane"
ROLE = "io.pqbed.role"
PREFIX = "pqbed"

LanePart = Literal["server", "client", "server-end", "client-end"]
Role = (
    LanePart | Stage | Literal["server-tap", "client-tap", "server-stack", "client-stack", "network", "guest", "probe"]
)
PARTS: tuple[LanePart, ...] = get_args(LanePart)


def lane_name(index: int) -> str:
    """Return the name of a lane's network, and the stem of its containers' names."""
    return f"{PREFIX}-{index}"


def part_name(index: int, part: LanePart | Stage) -> str:
    """Return the name of one container of a lane: two processes that start the same lane collide on it."""
    return f"{lane_name(index)}-{part}"


def lane_labels(index: int, role: Role) -> dict[str, str]:
    """Return the labels of something that belongs to a lane."""
    return {BED: "docker", LANE: str(index), ROLE: role}


def standalone_labels(bed: str, role: Role) -> dict[str, str]:
    """Return the labels of a container that belongs to no lane."""
    return {BED: bed, ROLE: role}


def ours(lane: int | None = None) -> Mapping[str, str | None]:
    """Return the labels to search by; None stands for any value."""
    return {BED: None} if lane is None else {BED: None, LANE: str(lane)}
