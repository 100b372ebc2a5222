"""The session that `pqbed up` starts for `link` and `fetch`: its settings, kept in one small file.

A bed whose lanes end with the process (netns, uml, fake) starts a lane for each command, sets the stored link and ends
the lane again; the docker bed keeps its containers running and finds them by label, on the engine that the session
remembers. Taking it down is teardown.py.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pqbed.agent.lane_facts import LaneFacts
from pqbed.atomic_files import translate_os_errors, write_atomic
from pqbed.beds.bed_interface import Bed, BedName, Lane
from pqbed.beds.docker.endpoint import DockerEndpoint, docker_endpoint
from pqbed.beds.lane_lock import lock_lane
from pqbed.beds.make_bed import up_fault
from pqbed.calibrate.deviations import Deviation, judge
from pqbed.calibrate.measurement import Calibration
from pqbed.errors import EngineError, SpecError, StoreError
from pqbed.net.link_state import LinkState
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import from_json, to_json
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.user_folders import state_home

Schema = Literal["pqbed.session/1"]
DEFAULT_TIMEOUT_NS = 300_000_000_000
STATE_HINT = "point XDG_STATE_HOME at a folder that you may write to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Settings of `up` and `link set`. `kernel` and `versions` are those of the lane that `up` started.

    `engine` is where the docker bed runs; None for other beds, and in files of versions that did not store it.
    `guest_kernel` is the series that was asked for, None the default one.
    """

    schema: Schema = "pqbed.session/1"
    bed: BedName
    clock: Clock
    profiles: tuple[Profile, ...]
    link: Link
    tcp: Tcp = field(default_factory=Tcp)
    seed: int = 1
    kernel: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    engine: DockerEndpoint | None = None
    guest_kernel: str | None = None


@runtime_checkable
class PersistentBed(Protocol):
    """A bed with a lane that outlives the command, on a container engine."""

    @property
    def endpoint(self) -> DockerEndpoint:
        """The engine that the lane runs on."""
        ...

    def up(self) -> bool:
        """Start the lane and leave it running; return whether it had to be created. A whole one is kept."""
        ...

    def abandon_up(self) -> None:
        """Remove the lane."""
        ...

    def open_up_lane(self, profiles: Sequence[Profile], timeout_ns: int) -> Lane:
        """Start a session on the lane. Raises LaneError, with the cure, if it is not as `up` left it."""
        ...


def state_path() -> Path:
    """Return the session file (in XDG_STATE_HOME)."""
    return state_home() / "bed.json"


def read_session() -> Session:
    """Return the session. Raises SpecError if there is none, StoreError if the file is damaged."""
    session = find_session()
    if session is None:
        raise SpecError("no bed is up", "run `pqbed up` first")
    return session


def find_session() -> Session | None:
    """Return the session, or None if no bed is up. Raises StoreError if the file is damaged."""
    path = state_path()
    try:
        return from_json(Session, json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, SpecError) as error:
        raise StoreError(f"{path} cannot be used: {error}", "run `pqbed down`, then `pqbed up`") from error


def write_session(session: Session) -> Path:
    """Replace the session file atomically. Raises StoreError if it cannot be written."""
    path = state_path()
    with translate_os_errors(path, STATE_HINT):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(to_json(session), indent=1).encode(), hint=STATE_HINT)
    return path


def forget_session() -> bool:
    """Remove the session file; return whether it existed."""
    try:
        state_path().unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{state_path()} cannot be removed: {error.strerror}", "remove it by hand") from error
    return True


def start_session(bed: Bed, session: Session) -> tuple[Session, LinkState]:
    """Start one lane of a prepared `bed`, set the link, read it back, and store the session.

    On failure the lane is removed, unless it was up before. Raises EngineError if a lane is up on another engine.
    """
    engine = bed.endpoint if isinstance(bed, PersistentBed) else None
    _refuse_second_engine(engine)
    with contextlib.ExitStack() as undo:
        if isinstance(bed, PersistentBed) and bed.up():
            undo.callback(bed.abandon_up)
        with _open_lane(bed, session.profiles, DEFAULT_TIMEOUT_NS) as lane:
            state = lane.set_link(session.link, session.tcp, session.seed)
            facts: LaneFacts = lane.facts
        started = replace(session, kernel=facts.kernel, versions=dict(facts.versions), engine=engine)
        write_session(started)
        undo.pop_all()
    return started, state


def _refuse_second_engine(engine: DockerEndpoint | None) -> None:
    """Raise EngineError if the session on record has its lane on another engine: nothing would remember it."""
    try:
        before = find_session()
    except StoreError:
        return  # what cannot be read is replaced
    if before is not None and before.engine is not None and before.engine != engine:
        here = f"not {engine.host}" if engine is not None else "and this bed needs no engine"
        raise EngineError(f"a bed is up on {before.engine.host}, {here}", hint="`pqbed down` removes it")


def why_lost(session: Session) -> str:
    """Return why the bed that `up` left no longer works; "" if it does, or if its lanes end with each command."""
    if session.bed != "docker":
        return ""
    try:
        return up_fault(session.engine or docker_endpoint())
    except EngineError as error:
        return error.message


@contextlib.contextmanager
def open_session_lane(bed: Bed, session: Session, timeout_ns: int = DEFAULT_TIMEOUT_NS) -> Iterator[Lane]:
    """Yield the lane of the session with its link set; end it afterwards unless the bed is persistent."""
    with _open_lane(bed, session.profiles, timeout_ns) as lane:
        lane.set_link(session.link, session.tcp, session.seed)
        yield lane


@contextlib.contextmanager
def _open_lane(bed: Bed, profiles: Sequence[Profile], timeout_ns: int) -> Iterator[Lane]:
    """Yield the lane that is up, for this command alone, or a lane of its own."""
    if isinstance(bed, PersistentBed):
        with (
            lock_lane(state_path().with_suffix(".lock")),
            contextlib.closing(bed.open_up_lane(profiles, timeout_ns)) as lane,
        ):
            yield lane
        return
    with contextlib.closing(bed.open_lane(0, profiles, timeout_ns)) as lane:
        yield lane


def set_session_link(bed: Bed, session: Session) -> LinkState:
    """Set the link of `session` on its lane and read it back; store it only if the kernel accepted it."""
    with open_session_lane(bed, session) as lane:
        state = lane.set_link(session.link, session.tcp, session.seed)
    write_session(session)
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLink:
    """The calibration of a link, and its deviations from what was asked."""

    calibration: Calibration
    deviations: tuple[Deviation, ...]


def measure_session_link(lane: Lane, session: Session) -> MeasuredLink:
    """Measure the session's link on its lane."""
    calibration = lane.calibrate(session.link, session.tcp, session.seed)
    deviations = judge(session.link, session.tcp, calibration.measured, session.clock)
    return MeasuredLink(calibration=calibration, deviations=deviations)


def fetch_in_session(lane: Lane, session: Session, profile: Profile, size_bytes: int, count: int) -> Iterator[Timings]:
    """Yield `count` fetches of `size_bytes` with `profile` over the session's link."""
    workload = Workload(size_bytes=size_bytes)
    cell = Cell(link=session.link, tcp=session.tcp, profile=profile, workload=workload)
    session_cell_id = cell_id(cell)
    fetches = [
        Fetch(cell_id=session_cell_id, block=number, repetition=number, seed=_fetch_seed(session.seed, number))
        for number in range(count)
    ]
    for _fetch, timings in lane.run({session_cell_id: cell}, fetches):
        yield timings


def _fetch_seed(seed: int, number: int) -> int:
    """Hash: similar seeds would give similar streams of netem's generator."""
    digest = hashlib.blake2b(f"{seed}/session/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
