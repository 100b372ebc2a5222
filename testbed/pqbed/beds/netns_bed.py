"""Netns bed: a lane is one agent in its own network, mount and process namespaces, on the stack's root.

The method of the published study. Needs root; everything ends with the process.
"""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.agent.unnamed_namespace import Namespace
from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.bed_interface import BedName
from pqbed.beds.lane_process import CONFINE, PlainProcess
from pqbed.errors import HostError
from pqbed.net.netem_support import check_netem
from pqbed.owned_folders import OwnedFolder
from pqbed.spec.profile import Profile, stacks_of
from pqbed.spec.run_options import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFilesystem:
    """A root file system, and the path of the agent's source in it."""

    path: Path
    source: str


class NetnsBed:
    """Provides lanes in namespaces of this host."""

    name: BedName = "netns"
    clock: Clock = "real"

    def __init__(self, prepare: Callable[[Sequence[str]], tuple[RootFilesystem, dict[str, str]]]) -> None:
        """`prepare` finds or builds the root, and returns it with its hashes by name."""
        self._prepare = prepare
        self._root: RootFilesystem | None = None

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Find or build the root. Raises HostError unless this is Linux and root, and its netem can be used."""
        if platform.system() != "Linux" or os.geteuid() != 0:
            raise HostError("the netns bed needs Linux and root", "use sudo, or --bed uml, which needs no privilege")
        Namespace(lambda: check_netem("lo"))
        self._root, hashes = self._prepare(stacks)
        return hashes

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> AgentLane:
        """Start an agent in new namespaces."""
        if self._root is None:
            self.prepare(stacks_of(profiles))
        assert self._root is not None
        return AgentLane(index, start_contained(self._root, index), profiles, timeout_ns, self.clock)

    def close(self) -> None:
        """Nothing to end: each lane ends its own namespaces."""


def start_contained(root: RootFilesystem, lane: int) -> PlainProcess:
    """Start the agent as the first process of new namespaces on `root`."""
    apart = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    agent = ("/usr/bin/python3", "-m", "pqbed.agent", "netns", "--lane", str(lane))
    environment = {"PATH": os.defpath + ":/usr/sbin:/sbin", "PYTHONPATH": f"{root.source}:/opt/pqbed/vendor"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    confine = (sys.executable, "-I", "-S", CONFINE, "root", str(root.path))
    return PlainProcess((*apart, *confine, *agent), environment, OwnedFolder("netns"))
