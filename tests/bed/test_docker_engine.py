"""The docker bed on any engine: what it leaves (nothing), what it may do (little), and what it says without netem."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import prepare_base
from pqbed.beds.docker.bed import DockerBed, take_down, up_lane_fault
from pqbed.beds.docker.capture_container import open_tap
from pqbed.beds.docker.containers import create_lane, ensure_lane, examine_lane
from pqbed.beds.docker.docker_sdk_engine import DockerEngine, connect
from pqbed.beds.docker.engine_interface import ContainerSpec, Owned
from pqbed.beds.docker.exec_stream import ContainerProcess
from pqbed.beds.docker.images import DEBIAN, ensure_image
from pqbed.beds.docker.labels import PARTS, UP, Creator, everyones, this_run
from pqbed.beds.docker.lane_session import ReadTimeout
from pqbed.beds.docker.netem_probe import netem_in_engine
from pqbed.beds.docker.uml_container import open_uml_process
from pqbed.beds.kernel_requirements import kernel_has_netem
from pqbed.beds.stack_programs import programs_of_image
from pqbed.beds.up_session import Session, why_lost
from pqbed.errors import BuildError, EngineError, HostError, LaneError
from pqbed.net.packet_ring_capture import Room
from pqbed.net.sysctls import PINS
from pqbed.spec.link import Link
from pqbed.spec.link_sides import SIDES
from pqbed.spec.profile import Chain, Profile

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

CLASSICAL = Profile(name="classical", group="X25519", chain=Chain(algorithm="p256"))
ME = this_run()
UP_OF_ME = Creator(owner=ME.owner, run=UP)
OTHER = Creator(owner="you@there/2", run="2-b")
NET_ADMIN, NET_RAW = 1 << 12, 1 << 13
DEFAULT_SOCKET = "unix:///var/run/docker.sock"
CRASH = """
import os, signal, sys
from pqbed.artefacts import prepare_base
from pqbed.beds.docker.containers import create_lane
from pqbed.beds.docker.labels import this_run
from pqbed.beds.docker.docker_sdk_engine import connect

calls = 0

class Crashing:
    def __init__(self, engine):
        self.engine = engine

    def __getattr__(self, name):
        def call(*arguments):
            global calls
            done = getattr(self.engine, name)(*arguments)
            calls += 1
            if calls == {number}:
                os.kill(os.getpid(), signal.SIGKILL)
            return done
        return call

for index in range(2):
    create_lane(Crashing(connect()), this_run(), index, "{image}")
"""

# In a process of its own: the SDK leaves its ssh processes to the garbage collector.
OVER_SSH = """
from pqbed.beds.docker.docker_sdk_engine import connect_to
from pqbed.beds.docker.exec_stream import ContainerProcess
from pqbed.errors import LaneError

with connect_to("ssh://someone@elsewhere") as remote:
    process = ContainerProcess(remote.execute("{container}", ["cat"]), "cat")
    for number in range(3):
        process.write("line %d\\n" % number)
        print(process.readline(20), end="")
    try:
        process.readline(0.1)
    except LaneError:
        print("silent")
    process.close()
"""


@pytest.fixture
def engine(private_engine: DockerEngine, stack_image: str) -> Iterator[Any]:
    assert stack_image
    before = everything(private_engine)
    yield private_engine
    take_down(private_engine, None)
    assert everything(private_engine) == before


@pytest.fixture
def bed(engine: Any, stack_image: str) -> Any:
    return DockerBed(engine, lambda *_: {"openssl": stack_image})


def everything(engine: Any) -> Any:
    client = engine._client
    containers = {one["Id"] for one in client.containers(all=True)}
    networks = {one["Id"] for one in client.networks()}
    return containers, networks, {one["Name"] for one in client.volumes()["Volumes"] or ()}


def make_lanes(engine: Any, image: Any, count: Any) -> Any:
    """Bring lanes up without asking whether they can be shaped."""
    return [ensure_lane(engine, UP_OF_ME, index, image)[0] for index in range(count)]


def run_python(program: Any, environment: Any) -> Any:
    """Run a program in a process of its own, which sees what this one imports."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True, timeout=120
    )


def output_of(engine: Any, container: Any, *argv: Any) -> Any:
    process = ContainerProcess(engine.execute(container, argv), argv[0])
    lines = []
    while line := process.readline(20):
        lines.append(line)
    process.close()
    return "".join(lines)


def status_of(engine: Any, container: Any) -> Any:
    lines = output_of(engine, container, "cat", "/proc/self/status").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_up_and_down_leave_nothing_and_can_be_repeated(engine: Any, stack_image: str) -> None:
    before = everything(engine)
    first = make_lanes(engine, stack_image, 2)
    assert make_lanes(engine, stack_image, 2) == first
    assert len(take_down(engine, ME.owner)) == 10
    assert everything(engine) == before
    assert take_down(engine, ME.owner) == ()
    assert make_lanes(engine, stack_image, 1) != first[:1]


def test_parts_hold_no_privilege_but_the_ends_net_admin(engine: Any, stack_image: str) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    for part, container in lane.parts.items():
        status = status_of(engine, container)
        assert int(status["CapEff"], 16) == (NET_ADMIN if part.endswith("-end") else 0), part
        assert int(status["CapBnd"], 16) == (NET_ADMIN if part.endswith("-end") else 0), part
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2"
        assert status["Uid"].split()[0] == ("0" if part.endswith("-end") else "1000")
        told = engine._client.inspect_container(container)
        assert told["HostConfig"]["ReadonlyRootfs"]
        assert not told["HostConfig"]["PortBindings"]
    assert "1" in output_of(engine, lane.parts["server"], "cat", "/proc/sys/net/ipv4/tcp_no_metrics_save")


def test_a_tap_holds_net_raw_alone_and_goes_with_its_trace(engine: Any, stack_image: str) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    before = everything(engine)
    with ExitStack() as owner:
        for side in SIDES:
            tap = open_tap(engine, lane, side, read_timeout=ReadTimeout(20), owner=owner)
            # The mirror is made by the end's own container: without one there is nothing to listen at.
            with pytest.raises(HostError, match="pqbed-sent"):
                tap.begin(Room(frames=16, frame_bytes=1514))
        roles = {one.labels["io.pqbed.role"]: one.id for one in engine.find("container", everyones())}
        for side in SIDES:
            assert int(status_of(engine, roles[f"{side}-tap"])["CapEff"], 16) == NET_RAW
            spaces = [output_of(engine, roles[part], "readlink", "/proc/self/ns/net") for part in (side, f"{side}-tap")]
            assert spaces[0] == spaces[1]
    assert everything(engine) == before


def test_the_namespaces_of_a_lane_have_the_pinned_sysctls_and_one_network_for_themselves(
    engine: Any, stack_image: str
) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    for part in ("server", "client"):
        for name, value in PINS.items():
            path = "/proc/sys/" + name.replace(".", "/")
            assert output_of(engine, lane.parts[part], "cat", path).split() == value.split(), name
    routes = output_of(engine, lane.parts["client-end"], "ip", "route")
    assert "198.18.0.0/28" in routes
    assert engine._client.inspect_network("pqbed-0")["Internal"]
    shared = [output_of(engine, lane.parts[part], "readlink", "/proc/self/ns/net") for part in ("client", "client-end")]
    assert shared[0] == shared[1]
    assert "inet6" not in output_of(engine, lane.parts["client-end"], "ip", "address", "show", "eth0")


def test_what_is_not_ours_is_not_touched(engine: Any, stack_image: str) -> None:
    foreign = ContainerSpec(name=None, image=stack_image, argv=("sleep", "600"), labels={"io.other.bed": "docker"})
    container = engine.create_container(foreign)
    try:
        engine.start_container(container)
        make_lanes(engine, stack_image, 1)
        take_down(engine, ME.owner)
        assert engine._client.inspect_container(container)["State"]["Running"]
    finally:
        engine.remove(Owned(kind="container", id=container, name="foreign", labels={}))


@pytest.mark.parametrize("number", [2, 3, 6, 10, 13, 17])
def test_down_clears_what_a_killed_process_left(engine: Any, stack_image: str, number: Any) -> None:
    before = everything(engine)
    program = textwrap.dedent(CRASH).format(number=number, image=stack_image)
    host = {"DOCKER_HOST": engine.host} if engine.host else {}
    done = run_python(program, host)
    assert done.returncode == -9
    assert take_down(engine, ME.owner)
    assert everything(engine) == before
    assert make_lanes(engine, stack_image, 1)


def test_up_after_a_crash_makes_a_half_lane_whole(engine: Any, stack_image: str) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    engine._client.kill(lane.parts["client"])
    engine._client.wait(lane.parts["client"])
    assert examine_lane(engine, UP_OF_ME, 0) == (None, "its container pqbed-0-client has stopped")
    (again,) = make_lanes(engine, stack_image, 1)
    assert not set(again.parts.values()) & set(lane.parts.values())


def test_a_lane_with_a_session_is_refused_to_another(engine: Any, stack_image: str) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    process = ContainerProcess(engine.execute(lane.parts["server"], ["cat"]), "cat")
    process.write("hello\n")
    assert process.readline(20) == "hello\n"
    with pytest.raises(LaneError, match="a program is running in pqbed-0-server"):
        ensure_lane(engine, UP_OF_ME, 0, stack_image)
    process.close()
    assert ensure_lane(engine, UP_OF_ME, 0, stack_image) == (lane, False)


def test_a_foreign_network_is_avoided(engine: Any, stack_image: str) -> None:
    network = engine._client.create_network("theirs", ipam={"Config": [{"Subnet": "198.18.0.0/24"}]})["Id"]
    try:
        assert create_lane(engine, ME, 0, stack_image).claim.slot == 16
        take_down(engine, ME.owner)
    finally:
        engine._client.remove_network(network)


def test_an_engine_without_free_addresses_says_so(engine: Any, stack_image: str) -> None:
    network = engine._client.create_network("theirs", ipam={"Config": [{"Subnet": "198.18.0.0/15"}]})["Id"]
    try:
        with pytest.raises(EngineError, match="no free addresses") as caught:
            create_lane(engine, ME, 0, stack_image)
        assert "docker network ls" in caught.value.hint
        assert not engine.find("container", everyones())
    finally:
        engine._client.remove_network(network)


def test_lanes_claimed_at_the_same_moment_are_apart(engine: Any, stack_image: str) -> None:
    creators = [Creator(owner=ME.owner if number % 2 else OTHER.owner, run=f"run-{number}") for number in range(4)]
    with ThreadPoolExecutor(len(creators)) as pool, ExitStack() as connections:
        engines = [connections.enter_context(connect(engine.endpoint)) for _ in creators]
        lanes = list(pool.map(create_lane, engines, creators, repeat(0), repeat(stack_image)))
    assert len({lane.claim.slot for lane in lanes}) == len(creators)
    for creator, lane in zip(creators, lanes, strict=True):
        assert examine_lane(engine, creator, 0) == (lane, "")
    assert len(take_down(engine, OTHER.owner)) == 10
    assert len(take_down(engine, ME.owner)) == 10


@pytest.mark.parametrize("part", PARTS)
def test_a_restarted_part_is_seen_and_mended(engine: Any, stack_image: str, part: Any) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    engine._client.restart(lane.parts[part], timeout=1)
    holds_namespace = part in ("server", "client")
    expected = f"its container pqbed-0-{part} was restarted" if holds_namespace else ""
    assert up_lane_fault(engine, ME.owner) == expected
    assert ensure_lane(engine, UP_OF_ME, 0, stack_image)[1] == holds_namespace
    assert up_lane_fault(engine, ME.owner) == ""


def test_a_removed_network_is_seen_and_mended(engine: Any, stack_image: str) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    for part in ("server", "client"):
        engine._client.disconnect_container_from_network(lane.parts[part], "pqbed-0", force=True)
    engine._client.remove_network("pqbed-0")
    assert up_lane_fault(engine, ME.owner) == "its container pqbed-0-server is no longer on the network pqbed-0"
    assert ensure_lane(engine, UP_OF_ME, 0, stack_image)[1]
    assert up_lane_fault(engine, ME.owner) == ""


def test_every_container_has_its_limits(engine: Any, stack_image: str) -> None:
    (lane,) = make_lanes(engine, stack_image, 1)
    for container in lane.parts.values():
        host = engine._client.inspect_container(container)["HostConfig"]
        assert (host["PidsLimit"], host["Memory"], host["MemorySwap"]) == (512, 2 << 30, 2 << 30)
        assert host["LogConfig"]["Config"] == {"max-size": str(1 << 20), "max-file": "1"}
    mounts = output_of(engine, lane.parts["server"], "cat", "/proc/mounts")
    assert "size=1048576k" in next(line for line in mounts.splitlines() if " /run " in line)
    assert "size=262144k" in next(line for line in mounts.splitlines() if " /tmp " in line)


def test_without_netem_the_probe_and_a_lane_say_so(bed: Any, engine: Any, stack_image: str) -> None:
    found = netem_in_engine(engine, stack_image)
    if kernel_has_netem():
        assert found is None
        return
    assert isinstance(found, HostError)
    assert found.message.startswith("this kernel has no sch_netem")
    assert "--bed uml" in found.hint
    before = everything(engine)
    for attempt in (bed.up, lambda: bed.open_lane(0, [CLASSICAL], 10**9)):
        with pytest.raises(HostError, match="no sch_netem"):
            attempt()
        assert everything(engine) == before


def test_a_failed_build_says_why_and_leaves_no_image(engine: Any, tmp_path: Path) -> None:
    base = next(name for name in engine.images("") if name.startswith(("pqbed/base:", "pqbed/openssl:", DEBIAN)))
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\nUSER 0\nRUN echo the reason is told >&2; exit 7\n")

    class Recipe:
        folder = tmp_path
        reference = "pqbed/failing:1"
        build_args: dict[str, str] = {}  # noqa: RUF012
        stack = "failing"

    with pytest.raises(BuildError, match=r"pqbed/failing:1 was not built") as failed:
        ensure_image(engine, Recipe(), prepare_base)
    assert any("the reason is told" in line for line in failed.value.lines)
    assert engine.image_id("pqbed/failing:1") is None


def test_a_guest_speaks_lines_and_is_gone_after_close(engine: Any, stack_image: str) -> None:
    script = "import sys; print('ready', flush=True); [print(l.upper(), end='', flush=True) for l in sys.stdin]"
    process = open_uml_process(engine, stack_image, ["python3", "-c", script])
    assert process.readline(30) == "ready\n"
    process.write("a line\n")
    assert process.readline(30) == "A LINE\n"
    status = engine.find("container", everyones())
    assert [one.labels["io.pqbed.role"] for one in status] == ["guest"]
    process.close()
    assert not engine.find("container", everyones())


def test_a_guest_that_ends_gives_the_end_of_its_output(engine: Any, stack_image: str) -> None:
    process = open_uml_process(engine, stack_image, ["sh", "-c", "echo last; echo why >&2; exit 3"])
    assert [process.readline(30) for _ in range(2)] == ["last\n", ""]
    assert process.last_words() == "why"
    process.close()


def test_a_session_tells_when_its_containers_are_gone(
    engine: Any, stack_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host or DEFAULT_SOCKET)
    session = Session(bed="docker", clock="real", profiles=(CLASSICAL,), link=Link(rtt_ns=35_000_000))
    (lane,) = make_lanes(engine, stack_image, 1)
    assert why_lost(session) == ""
    (client,) = (one for one in engine.find("container", everyones()) if one.id == lane.parts["client"])
    engine.remove(client)
    assert why_lost(session) == "its container client is gone"


def test_programs_of_the_image_run_by_themselves_and_leave_nothing(engine: Any, stack_image: str) -> None:
    run = programs_of_image(engine, stack_image)
    assert run(("openssl", "version"), 30).startswith("OpenSSL 3.5")
    with pytest.raises(HostError, match=r"openssl nonsense failed: .*nonsense"):
        run(("openssl", "nonsense"), 30)
    assert not engine.find("container", everyones())


def test_an_engine_over_ssh_carries_the_same_streams(engine: Any, stack_image: str, tmp_path: Path) -> None:
    pytest.importorskip("paramiko")
    if shutil.which("docker") is None:
        pytest.skip("the Docker CLI is not installed: it is the far end of ssh://")
    # What sshd would run on the other host: `docker system dial-stdio`.
    shim = tmp_path / "ssh"
    shim.write_text(f"#!/bin/sh\nexec docker --host={engine.host or DEFAULT_SOCKET} system dial-stdio\n")
    shim.chmod(0o755)
    (lane,) = make_lanes(engine, stack_image, 1)
    path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
    done = run_python(OVER_SSH.format(container=lane.parts["client"]), {"PATH": path})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "line 0\nline 1\nline 2\nsilent\n"
    assert examine_lane(engine, UP_OF_ME, 0) == (lane, "")
