"""Stacks as images of their own: one served and fetched with in containers, and one that cannot be built here."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_part_interfaces import StackClient, StackServer
from pqbed.agent.multi_stack_endpoints import StackClients, StackServers
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.rpc_proxies import proxy
from pqbed.artefacts import prepare_base, stack_contexts
from pqbed.beds.docker.addresses import slot_addresses
from pqbed.beds.docker.containers import add_stack, create_lane, remove_lane
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.images import ensure_image
from pqbed.beds.docker.labels import this_run
from pqbed.beds.docker.lane_session import ReadTimeout, agent_command, open_channel
from pqbed.plan import cell_id
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.sample import Fetch
from pqbed.spec.stack_pairs import pair_profiles
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.bare_end import BareEnd
from support.engines.fixtures import image_tar, load_image, save_image

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

OTHER = "botan"


@pytest.fixture(scope="module")
def images(private_engine: DockerEngine, stack_image: str) -> Any:
    """The ids of both stacks' images."""
    (recipe,) = stack_contexts((OTHER,))
    tar = image_tar(recipe.reference)
    if private_engine.image_id(recipe.reference) is None and tar.exists():
        load_image(private_engine, tar)
    built = ensure_image(private_engine, recipe, prepare_base)
    if not tar.exists():
        save_image(private_engine, recipe.reference, tar)
    return {"openssl": stack_image, OTHER: built}


@pytest.fixture
def runner(private_engine: DockerEngine, images: Any) -> Iterator[FetchRunner]:
    """Client and server of every stack in containers of one lane, without any link between them but the engine's."""
    lane = create_lane(private_engine, this_run(), 0, images["openssl"])
    with ExitStack() as owner:
        owner.callback(remove_lane, private_engine, this_run(), 0)

        def open_side(side: Any, stack: Any) -> Any:
            container = lane.parts[side]
            if stack != "openssl":
                owned, container = add_stack(private_engine, lane, side, stack, images[stack])
                owner.callback(private_engine.remove, owned)
            # On /tmp, which is everyone's on any engine: where there is no netem there may be an odd /run as well.
            command = [word.replace("/run/", "/tmp/") for word in agent_command(side, "--stack", stack)]
            return open_channel(private_engine, container, command, side, read_timeout=ReadTimeout(60.0), owner=owner)

        addresses = slot_addresses(lane.claim.slot)
        way = NetworkPath(
            client_end=BareEnd(),
            server_end=BareEnd(),
            address=addresses.server.address,
            client_address=addresses.client.address,
        )
        yield FetchRunner(
            path_of=lambda _: way,
            server=StackServers(lambda stack: proxy(StackServer, open_side("server", stack))),
            client=StackClients(lambda stack: proxy(StackClient, open_side("client", stack))),
            timeout_ns=20 * 10**9,
        )


def test_each_side_runs_its_own_image(runner: Any) -> None:
    both = ("openssl", OTHER)
    arms = pair_profiles((profile_named("hybrid"), profile_named("pq")), both, both)
    runner.start(arms)
    found = {}
    for arm in arms:
        cell = Cell(link=Link(rtt_ns=0), tcp=Tcp(), profile=arm, workload=Workload(size_bytes=200_000))
        fetch = Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1)
        ((_, timings),) = runner.run({fetch.cell_id: cell}, (fetch,))
        found[arm.name] = (timings.outcome, timings.body_bytes, timings.group)
    done, refused = ("ok", 200_000, "X25519MLKEM768"), ("unsupported", None, None)
    spoken = {arm.name for arm in arms if arm.name.startswith("hybrid")} | {"pq.openssl"}
    assert found == {arm.name: done if arm.name in spoken else refused for arm in arms}
