"""Labels and names of containers, networks and volumes on an engine that several users may share.

`owner` is a user with one state folder on one host: what `pqbed down` removes. `run` is one process, or UP for the lane
that `pqbed up` leaves running. `slot` is a lane's address range on the engine, claimed by creating the network: names
and addresses follow from it, so that no two lanes of any owners share them.
"""

import functools
import getpass
import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pqbed.spec.link_end_shape import Stage
from pqbed.user_folders import state_home

BED = "io.pqbed.bed"
OWNER = "io.pqbed.owner"
RUN = "io.pqbed.run"
LANE = "io.pqbed.lane"
SLOT = "io.pqbed.slot"
ROLE = "io.pqbed.role"
PREFIX = "pqbed"
UP = "up"
OWNER_VARIABLE = "PQBED_OWNER"

LanePart = Literal["server", "client", "server-end", "client-end"]
Role = (
    LanePart | Stage | Literal["server-tap", "client-tap", "server-stack", "client-stack", "network", "guest", "probe"]
)
PARTS: tuple[LanePart, ...] = get_args(LanePart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Creator:
    """Who creates something on an engine: a run of an owner."""

    owner: str
    run: str

    @property
    def labels(self) -> dict[str, str]:
        return {OWNER: self.owner, RUN: self.run}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneClaim:
    """Lane `index` of a creator, in address range `slot` of the engine."""

    creator: Creator
    index: int
    slot: int

    @property
    def network(self) -> str:
        """The name of the lane's network, and the stem of its containers' names."""
        return f"{PREFIX}-{self.slot}"

    def container(self, suffix: str) -> str:
        """Return the name of one container of the lane."""
        return f"{self.network}-{suffix}"

    def labels(self, role: Role) -> dict[str, str]:
        """Return the labels of something that belongs to the lane."""
        return {BED: "docker", **self.creator.labels, LANE: str(self.index), SLOT: str(self.slot), ROLE: role}

    @property
    def search(self) -> Mapping[str, str | None]:
        """The labels that everything of the lane has."""
        return lane_of(self.creator, self.index)


def this_run() -> Creator:
    """Return the creator that this process is."""
    return Creator(owner=owner_name(), run=_run_name())


def owner_name() -> str:
    """Return who owns what this user creates: PQBED_OWNER, or user, host and a hash of the state folder."""
    named = os.environ.get(OWNER_VARIABLE)
    if named:
        return named
    user = str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
    folder = hashlib.blake2b(str(state_home()).encode(), digest_size=4).hexdigest()
    return f"{user}@{socket.gethostname()}/{folder}"


@functools.cache
def _run_name() -> str:
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def standalone_labels(bed: str, role: Role, creator: Creator | None = None) -> dict[str, str]:
    """Return the labels of a container that belongs to no lane."""
    return {BED: bed, **(creator or this_run()).labels, ROLE: role}


def everyones() -> Mapping[str, str | None]:
    """Return the labels to search by for things of any owner; None stands for any value."""
    return {BED: None}


def owned_by(owner: str) -> Mapping[str, str | None]:
    """Return the labels to search by for everything of one owner."""
    return {BED: None, OWNER: owner}


def lane_of(creator: Creator, index: int) -> Mapping[str, str | None]:
    """Return the labels to search by for one lane."""
    return {BED: None, **creator.labels, LANE: str(index)}
