"""Stacks as images of their own: one served and fetched with in containers, and one that cannot be built here."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.interfaces import StackClient, StackServer
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.rpc_proxies import proxy
from pqbed.agent.stacks import StackClients, StackServers
from pqbed.artefacts import prepare_base, stack_contexts
from pqbed.beds.docker.addresses import lane_addresses
from pqbed.beds.docker.containers import add_stack, ensure_lane, remove_lane
from pqbed.beds.docker.images import ensure_image
from pqbed.beds.docker.session import ReadTimeout, agent_command, open_channel
from pqbed.beds.make import ensure_images
from pqbed.errors import HostError
from pqbed.net.state import EndState
from pqbed.plan import cell_id
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.pairs import pair_profiles
from pqbed.spec.profiles import profile_named
from pqbed.spec.sample import Fetch
from pqbed.spec.shape import EndShape
from pqbed.spec.stacks import known_stacks
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.engines.fixtures import image_tar, load_image, save_image

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

OTHER = "botan"
FOREIGN = next(stack for stack in known_stacks().values() if stack.base)


class BareEnd:
    """An end that is not shaped: the kernel under an engine of tests may have no netem."""

    def shape(self, shape: EndShape) -> EndState:
        return EndState(asked=shape, applied=shape, text="")

    def read(self) -> EndState:
        raise NotImplementedError

    def quiet(self) -> None:
        pass

    def drain(self) -> int:
        return 0


@pytest.fixture(scope="module")
def images(private_engine, stack_image):
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
def runner(private_engine, images) -> Iterator[FetchRunner]:
    """Client and server of every stack in containers of one lane, without any link between them but the engine's."""
    lane, _ = ensure_lane(private_engine, 0, images["openssl"])
    with ExitStack() as owner:
        owner.callback(remove_lane, private_engine, 0)

        def open_side(side, stack):
            container = lane.parts[side]
            if stack != "openssl":
                owned, container = add_stack(private_engine, lane, side, stack, images[stack])
                owner.callback(private_engine.remove, owned)
            # On /tmp, which is everyone's on any engine: where there is no netem there may be an odd /run as well.
            command = [word.replace("/run/", "/tmp/") for word in agent_command(side, "--stack", stack)]
            return open_channel(private_engine, container, command, side, read_timeout=ReadTimeout(60.0), owner=owner)

        addresses = lane_addresses(0)
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


def test_each_side_runs_its_own_image(runner):
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


@pytest.mark.usefixtures("stack_image")
def test_a_base_that_cannot_be_had_is_told_in_one_sentence(private_engine):
    if private_engine.image_id(FOREIGN.base) is not None:
        pytest.skip(f"this engine has {FOREIGN.base}")
    said = f"gives {FOREIGN.base}, which this stack's image is built on"
    with pytest.raises(HostError, match=said) as refused:
        ensure_images(private_engine, (FOREIGN.name,), lambda *_: None, None)
    assert refused.value.exit_code == 3
    assert "docker load it here" in refused.value.hint


def test_without_an_engine_the_command_says_that_guests_cannot_hold_it(tmp_path):
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none", "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "pqbed_cli", "build", "--bed", "uml", "--stack", FOREIGN.name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert f"pqbed: the stack {FOREIGN.name} is built on {FOREIGN.base}, and guests run Debian" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_recipe_reaches_the_engine_with_its_own_base(private_engine):
    """On another base it fails at the first step that needs Fedora, so every step before it was taken."""
    (recipe,) = stack_contexts((FOREIGN.name,))
    assert recipe.build_args == {"BASE": FOREIGN.base}
    private_engine.import_image(prepare_base(), "pqbed/not-fedora:1")
    try:
        with pytest.raises(Exception, match="dnf: not found"):
            private_engine.build_image(recipe.folder, "pqbed/oqs:test", {"BASE": "pqbed/not-fedora:1"})
    finally:
        private_engine.remove_image("pqbed/not-fedora:1")
