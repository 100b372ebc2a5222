"""Stacks as images of their own: each served and fetched with in containers, a stack that was added among them."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_part_interfaces import StackClient, StackServer
from pqbed.agent.multi_stack_endpoints import StackClients, StackServers
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.rpc_proxies import proxy
from pqbed.artefacts import prepare_base, prepare_root, stack_contexts
from pqbed.artefacts.user_stacks import StackFiles
from pqbed.beds.add_user_stack import add_stack as add_user_stack
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
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.stack_pairs import pair_profiles
from pqbed.spec.stacks import builtin_stacks, stack_named
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.bare_end import BareEnd
from support.engines.fixtures import cached_image
from support.provider import NAME, compile_provider, provider_configuration

pytestmark = [pytest.mark.docker, pytest.mark.timeout(2400)]

# Added from files: a module of the tests, and one that Debian ships.
ADDED, OLD = "ballast", "old"
BALLAST = Profile(name="ballast", group="Ballast", chain=Chain(algorithm="rsa2048"))
SIZE = 200_000


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Name the stacks of pqbed, and two that were added."""
    root = prepare_root()  # its OpenSSL checks the modules
    (legacy,) = root.glob("usr/lib/*-linux-gnu/ossl-modules/legacy.so")
    folder = tmp_path_factory.mktemp("added")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        files = StackFiles(
            modules=(compile_provider(folder),), configuration=provider_configuration(folder, 3_000, 5_000)
        )
        add_user_stack(ADDED, files)
        add_user_stack(OLD, StackFiles(modules=(legacy,)))
        yield (*builtin_stacks(), ADDED, OLD)


@pytest.fixture(scope="module")
def images(private_engine: DockerEngine, stack_image: str, stacks: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The ids of all stacks' images, those of pqbed's own from the cache folder where they were built before."""
    assert stack_image
    built = {}
    for recipe in stack_contexts(stacks):
        kept = recipe.stack not in {ADDED, OLD}
        built[recipe.stack] = (
            cached_image(private_engine, recipe) if kept else ensure_image(private_engine, recipe, prepare_base)
        )
    yield built
    for stack in (ADDED, OLD):
        private_engine.remove_image(built[stack])


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
            agent = agent_command(side, "--stack", stack, environment=stack_named(stack).environment)
            command = [word.replace("/run/", "/tmp/") for word in agent]
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


def test_every_pair_of_stacks_fetches_from_images_of_its_own(runner: Any, stacks: tuple[str, ...]) -> None:
    others = [stack for stack in stacks if stack != OLD]
    arms = pair_profiles((profile_named("hybrid"), BALLAST), others, others)
    arms += pair_profiles((profile_named("pq"),), (OLD,), (None,))
    runner.start(arms)
    fetched = {arm: fetch_once(runner, arm) for arm in arms}
    ends = {arm: {arm.stack, arm.clients_stack} for arm in arms}
    spoken = {arm for arm in arms if arm.group != BALLAST.group or ends[arm] == {ADDED}}
    assert len(spoken) == len(others) ** 2 + 2
    for arm, timings in fetched.items():
        outcome = (timings.outcome, timings.body_bytes, (timings.group or "").lower())
        expected = ("ok", SIZE, arm.group.lower()) if arm in spoken else ("unsupported", None, "")
        assert outcome == expected, (arm.name, timings)
    # Which provider served says that each side really ran its own image.
    providers = {
        arm.stack: timings.provider
        for arm, timings in fetched.items()
        if arm.group != BALLAST.group and arm.stack == arm.clients_stack
    }
    assert providers == {stack: expected_provider(stack) for stack in stacks}
    (own,) = (timings for arm, timings in fetched.items() if arm.group == BALLAST.group and arm in spoken)
    assert (own.provider, own.client_provider) == (NAME, NAME)


def expected_provider(stack: str) -> str | None:
    """Return whose X25519MLKEM768 a stack's server uses: nginx asks OpenSSL, other programs have their own library."""
    entry = stack_named(stack)
    if entry.server != "nginx":
        return None
    return "fips" if "fips" in stack else "default"


def fetch_once(runner: FetchRunner, arm: Profile) -> Any:
    cell = Cell(link=Link(rtt_ns=0), tcp=Tcp(), profile=arm, workload=Workload(size_bytes=SIZE))
    fetch = Fetch(cell_id=cell_id(cell), block=0, repetition=0, seed=1)
    ((_, timings),) = runner.run({fetch.cell_id: cell}, (fetch,))
    return timings
