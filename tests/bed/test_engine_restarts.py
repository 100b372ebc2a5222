"""An engine that is restarted, or gone, under a lane and under the programs in it: what is said, and what mends it."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pqbed.agent.lane_part_interfaces import StackClient
from pqbed.agent.rpc_proxies import proxy
from pqbed.beds.docker.containers import create_lane, ensure_lane, remove_lane
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.labels import UP, Creator, everyones, this_run
from pqbed.beds.docker.lane_session import ReadTimeout, agent_command, open_channel
from pqbed.beds.up_session import Session, why_lost
from pqbed.errors import EngineError, LaneError
from pqbed.spec.link import Link
from pqbed.spec.profile import Chain, Profile
from support.engines import private
from support.engines.fixtures import give_image

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

PROFILE = Profile(name="classical", group="X25519", chain=Chain(algorithm="p256"))
ME = Creator(owner=this_run().owner, run=UP)


@pytest.fixture
def process() -> Iterator[private.EngineProcess]:
    """An engine of this test alone: others would lose their containers."""
    reason = private.missing()
    if reason:
        pytest.skip(reason)
    with private.private_engine_process() as process:
        yield process


def one_sentence(error: Exception) -> bool:
    return bool(str(error)) and "\n" not in str(error) and "Traceback" not in str(error)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restarted_engine_is_seen_and_mended(
    request: pytest.FixtureRequest, process: private.EngineProcess, number: signal.Signals
) -> None:
    with process.start() as engine:
        image = give_image(request, engine)
        session = Session(
            bed="docker", clock="real", profiles=(PROFILE,), link=Link(rtt_ns=35_000_000), engine=engine.endpoint
        )
        ensure_lane(engine, ME, 0, image)
        assert why_lost(session) == ""
        process.end(number)
        assert why_lost(session).startswith(f"no container engine answers at {process.host}: ")
        with pytest.raises(EngineError) as gone:
            ensure_lane(engine, ME, 0, image)
        assert one_sentence(gone.value)
    with process.start() as engine:
        assert why_lost(session) == "its container pqbed-0-server has stopped"
        lane, created = ensure_lane(engine, ME, 0, image)
        assert created
        assert why_lost(session) == ""
        assert ensure_lane(engine, ME, 0, image) == (lane, False)
        remove_lane(engine, ME, 0)
        assert not engine.find("container", everyones())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_engine_that_ends_under_a_program_is_an_error_of_the_lane(
    request: pytest.FixtureRequest, process: private.EngineProcess, number: signal.Signals
) -> None:
    with process.start() as engine, ExitStack() as owner:
        lane = create_lane(engine, ME, 0, give_image(request, engine))
        client = lane.parts["client"]
        timeout = ReadTimeout(30.0)
        channel = open_channel(engine, client, agent_command("client"), "the client", read_timeout=timeout, owner=owner)
        process.end(number)
        with pytest.raises(LaneError, match="stopped answering") as lost:
            proxy(StackClient, channel).version()
        assert one_sentence(lost.value)
    with process.start() as engine:
        assert removed(engine) == 5


def removed(engine: DockerEngine) -> Any:
    """Remove the lane as `pqbed down` does, and return how many things it was."""
    count = sum(len(engine.find(kind, everyones())) for kind in ("container", "network"))
    remove_lane(engine, ME, 0)
    assert not engine.find("container", everyones())
    assert not engine.find("network", everyones())
    return count
