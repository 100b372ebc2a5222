"""The bed that `pqbed up` leaves ready for `link` and `fetch`: its settings, kept in one small file.

A bed without standing parts (netns, uml, fake) starts a lane for each command, sets the link kept
here and ends it again; the docker bed keeps its containers and finds them by label.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pqbed.agent.facts import LaneFacts
from pqbed.beds.bed import Bed, BedName, Lane
from pqbed.beds.choose import bed_choice
from pqbed.beds.host_checks import Engine, find_engine
from pqbed.beds.make import clear_engine, lane_stands
from pqbed.calibrate.judge import Deviation, judge
from pqbed.calibrate.measured import Calibration
from pqbed.errors import EngineError, SpecError, StoreError
from pqbed.net.state import LinkState
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.codec import from_json, to_json
from pqbed.spec.link import Link
from pqbed.spec.options import Clock
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Fetch, Timings
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

Schema = Literal["pqbed.session/1"]
BEDS_ON_ENGINES = ("auto", "docker", "uml")
DEFAULT_TIMEOUT_NS = 300_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What `up` and `link set` chose. `kernel` and `versions` are those of the lane that proved the bed."""

    schema: Schema = "pqbed.session/1"
    bed: BedName
    clock: Clock
    profiles: tuple[Profile, ...]
    link: Link
    tcp: Tcp = field(default_factory=Tcp)
    seed: int = 1
    kernel: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class StandingBed(Protocol):
    """A bed whose lanes can outlive the command: `open_lane` then finds the one that is up."""

    def up(self, lanes: int) -> object:
        """Bring lanes up and leave them up; those that are up already are taken as they are."""
        ...


def state_path() -> Path:
    """Return the session file (XDG_STATE_HOME)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "pqbed" / "bed.json"


def read_session() -> Session:
    """Return the session. Raises SpecError where there is none, StoreError where the file is damaged."""
    session = find_session()
    if session is None:
        raise SpecError("no bed is up", "run `pqbed up` first")
    return session


def find_session() -> Session | None:
    """Return the session, or None where no bed is up. Raises StoreError where the file is damaged."""
    path = state_path()
    try:
        return from_json(Session, json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, SpecError) as error:
        raise StoreError(f"{path} cannot be used: {error}", "run `pqbed down`, then `pqbed up`") from error


def write_session(session: Session) -> Path:
    """Replace the session file whole."""
    path = state_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".bed-", delete=False) as handle:
            try:
                json.dump(to_json(session), handle, indent=1)
                handle.flush()
                os.fsync(handle.fileno())
                os.replace(handle.name, path)  # noqa: PTH105
            except BaseException:
                Path(handle.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", "point XDG_STATE_HOME at a folder you may write to"
        ) from error
    return path


def forget_session() -> bool:
    """Remove the session file; return whether there was one."""
    try:
        state_path().unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{state_path()} cannot be removed: {error.strerror}", "remove it by hand") from error
    return True


def bring_up(bed: Bed, session: Session) -> tuple[Session, LinkState]:
    """Start one lane of a prepared `bed`, set the link and read it back, and keep the settings."""
    if isinstance(bed, StandingBed):
        bed.up(1)
    with contextlib.closing(bed.open_lane(0, session.profiles, DEFAULT_TIMEOUT_NS)) as lane:
        state = lane.set_link(session.link, session.tcp, session.seed)
        facts: LaneFacts = lane.facts
    proved = replace(session, kernel=facts.kernel, versions=dict(facts.versions))
    write_session(proved)
    return proved, state


def why_gone(session: Session) -> str:
    """Say what is gone of the bed that `up` left; "" where nothing is, or where the bed has no standing parts."""
    if session.bed != "docker":
        return ""
    try:
        return "" if lane_stands() else "its containers do not run any more"
    except EngineError as error:
        return error.message


@contextlib.contextmanager
def open_session_lane(bed: Bed, session: Session, timeout_ns: int = DEFAULT_TIMEOUT_NS) -> Iterator[Lane]:
    """Yield the lane of the session with its link set; end it afterwards where the bed does not stand."""
    with contextlib.closing(bed.open_lane(0, session.profiles, timeout_ns)) as lane:
        lane.set_link(session.link, session.tcp, session.seed)
        yield lane


def set_session_link(bed: Bed, session: Session) -> LinkState:
    """Set the link of `session` on its lane, read it back, and keep it only if the kernel took it."""
    with open_session_lane(bed, session) as lane:
        state = lane.set_link(session.link, session.tcp, session.seed)
    write_session(session)
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLink:
    """What was measured of a link, and what of it is not as asked."""

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
    identity = cell_id(cell)
    fetches = [
        Fetch(cell_id=identity, block=number, repetition=number, seed=_fetch_seed(session.seed, number))
        for number in range(count)
    ]
    for _fetch, timings in lane.run({identity: cell}, fetches):
        yield timings


def clear_away(choice: str | None = None) -> tuple[str, ...]:
    """Remove what carries our label on an engine, forget the session, and name what was removed.

    Needs no session, so that it also clears what a killed process left. `choice` other than docker, uml or auto
    leaves the engine alone. Safe to call twice.
    """
    on_engine = choice is None or bed_choice(choice) in BEDS_ON_ENGINES
    removed = clear_engine() if on_engine and isinstance(find_engine(), Engine) else ()
    return (*removed, *((str(state_path()),) if forget_session() else ()))


def _fetch_seed(seed: int, number: int) -> int:
    """Mix well: netem's generator starts near seeds with near streams (`net/shape.py`)."""
    digest = hashlib.blake2b(f"{seed}/session/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
