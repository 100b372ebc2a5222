"""The session of `pqbed up` and its teardown: which engine it remembers, asks, and refuses to forget."""

import json
from pathlib import Path

import pytest

from pqbed.beds import leftovers, teardown
from pqbed.beds import up_session as sessions
from pqbed.beds.bed_interface import BedName
from pqbed.beds.docker.bed import DockerBed, take_down, up_lane_fault
from pqbed.beds.docker.endpoint import DEFAULT_SOCKET, DockerEndpoint
from pqbed.beds.docker.labels import owner_name
from pqbed.beds.fake_bed import FakeBed
from pqbed.beds.host_checks import EngineInfo, EngineProbe
from pqbed.beds.lane_lock import lock_lane
from pqbed.beds.up_session import Session, find_session, start_session, state_path, write_session
from pqbed.errors import EngineError, LaneError, SpecError, StoreError
from pqbed.spec.link import Link
from support.fake_engine import FakeEngine, Scripted, frame
from support.sweeps import CLASSIC

REMOTE = DockerEndpoint(host="tcp://192.0.2.1:2375")
LOCAL = DockerEndpoint(host=DEFAULT_SOCKET)
INFO = EngineInfo(version="29.1", api="1.52", kernel="6.12", machine="amd64", netem=True)
READY = b'{"id":0,"done":null}\n{"id":1,"done":null}\n'


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setattr(leftovers, "searched_folders", lambda: (tmp_path,))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "PQBED_OWNER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeEngine]:
    """Engines that answer, by host; any other does not."""
    present: dict[str, FakeEngine] = {}

    def probe(endpoint: DockerEndpoint) -> EngineProbe:
        if endpoint.host in present:
            return EngineProbe(info=INFO)
        return EngineProbe(reason=f"{endpoint.host}: Connection refused")

    def clean(endpoint: DockerEndpoint, owner: str | None, *, images: bool = False) -> tuple[str, ...]:
        assert not images
        return take_down(present[endpoint.host], owner)

    def fault(endpoint: DockerEndpoint) -> str:
        if endpoint.host not in present:
            raise EngineError(f"no container engine answers at {endpoint.host}")
        return up_lane_fault(present[endpoint.host], owner_name())

    monkeypatch.setattr(teardown, "probe_engine", probe)
    monkeypatch.setattr(teardown, "clean_engine", clean)
    monkeypatch.setattr(sessions, "up_fault", fault)
    return present


def session(engine: DockerEndpoint | None = None, bed: BedName = "docker") -> Session:
    return Session(bed=bed, clock="real", profiles=(CLASSIC,), link=Link(rtt_ns=35_000_000), engine=engine)


def bring_up(engines: dict[str, FakeEngine], endpoint: DockerEndpoint) -> FakeEngine:
    """Leave what `up` leaves: a lane and the session file."""
    engine = engines.setdefault(endpoint.host, FakeEngine(endpoint=endpoint))
    engine.connection = Scripted([frame(1, READY)])
    DockerBed(engine, lambda *_: {"openssl": "image"}).up()
    write_session(session(endpoint))
    return engine


def test_down_asks_the_engine_of_the_session_and_the_configured_one(engines: dict[str, FakeEngine]) -> None:
    remote = bring_up(engines, REMOTE)
    local = engines[LOCAL.host] = FakeEngine(endpoint=LOCAL)
    local.connection = Scripted([frame(1, READY)])
    DockerBed(local, lambda *_: {"openssl": "image"}).up()
    removed = teardown.remove_all()
    assert len(removed) == 5 + 5 + 1
    assert removed[0] == "container pqbed-0-server-end on tcp://192.0.2.1:2375"
    assert removed[5] == "container pqbed-0-server-end"
    assert remote.things == local.things == {}
    assert find_session() is None
    assert teardown.remove_all() == ()


def test_down_keeps_a_session_whose_engine_does_not_answer(engines: dict[str, FakeEngine]) -> None:
    bring_up(engines, REMOTE)
    del engines[REMOTE.host]
    with pytest.raises(
        EngineError, match=r"does not answer \(tcp://192\.0\.2\.1:2375: Connection refused\)"
    ) as refused:
        teardown.remove_all()
    assert refused.value.exit_code == 3
    assert str(state_path()) in refused.value.hint
    assert find_session() == session(REMOTE)


def test_down_of_a_bed_without_an_engine_leaves_a_session_on_one(engines: dict[str, FakeEngine]) -> None:
    engine = bring_up(engines, REMOTE)
    assert teardown.remove_all("netns") == ()
    assert len(engine.things) == 5
    assert find_session() == session(REMOTE)


def test_down_without_a_session_asks_the_configured_engine(engines: dict[str, FakeEngine]) -> None:
    assert teardown.remove_all() == ()
    bring_up(engines, LOCAL)
    state_path().unlink()
    assert len(teardown.remove_all()) == 5


def test_down_removes_a_session_file_that_cannot_be_read(engines: dict[str, FakeEngine]) -> None:
    assert not engines
    state_path().parent.mkdir(parents=True)
    state_path().write_text("{")
    assert teardown.remove_all() == (str(state_path()),)


@pytest.mark.usefixtures("engines")
def test_status_asks_the_engine_of_the_session(engines: dict[str, FakeEngine]) -> None:
    engine = bring_up(engines, REMOTE)
    assert sessions.why_lost(session(REMOTE)) == ""
    (server,) = (thing for thing in engine.things.values() if thing.name == "pqbed-0-server")
    engine.start_container(server.id)
    assert sessions.why_lost(session(REMOTE)) == "its container pqbed-0-server was restarted"
    del engines[REMOTE.host]
    assert sessions.why_lost(session(REMOTE)) == "no container engine answers at tcp://192.0.2.1:2375"


def test_up_on_a_second_engine_is_refused_with_both_names() -> None:
    write_session(session(REMOTE))
    engine = FakeEngine(endpoint=LOCAL)
    with pytest.raises(EngineError, match=r"a bed is up on tcp://192\.0\.2\.1:2375, not unix:///var/run/docker\.sock"):
        start_session(DockerBed(engine, lambda *_: {"openssl": "image"}), session())
    with pytest.raises(EngineError, match="a bed is up on tcp"):
        start_session(FakeBed(clock="virtual"), session(bed="fake"))
    assert engine.things == {}
    assert find_session() == session(REMOTE)


def test_an_up_that_fails_after_its_lane_leaves_nothing() -> None:
    engine = FakeEngine(endpoint=LOCAL, connection=Scripted([frame(1, READY)]))
    with pytest.raises(LaneError):
        start_session(DockerBed(engine, lambda *_: {"openssl": "image"}), session())
    assert "execute" in engine.calls
    assert engine.things == {}
    assert find_session() is None


def test_a_session_of_an_earlier_version_reads_back() -> None:
    write_session(session())
    stored = json.loads(state_path().read_text())
    del stored["engine"]
    state_path().write_text(json.dumps(stored))
    assert find_session() == session()


def test_two_commands_on_the_lane_of_up_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state" / "bed.lock"
    refused = pytest.raises(LaneError, match="another pqbed command is using the lane")
    with lock_lane(path), refused, lock_lane(path):
        pass
    with lock_lane(path):
        pass


def test_a_lock_that_cannot_be_created_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file") as refused, lock_lane(tmp_path / "file" / "bed.lock"):
        pass
    assert "XDG_STATE_HOME" in refused.value.hint


def test_an_unknown_bed_is_refused() -> None:
    with pytest.raises(SpecError):
        teardown.remove_all("dokcer")
