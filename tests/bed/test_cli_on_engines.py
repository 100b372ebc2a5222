"""The whole tool on container engines, as a user would: up, link, fetch, sweep, down; and nothing left."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqbed.artefacts import docker_contexts, prepare_root, prepare_uml, stack_contexts
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.engine_interface import ObjectKind
from pqbed.beds.docker.labels import OWNER, everyones
from pqbed.beds.make_bed import GUEST_KERNEL
from pqbed.spec.link_end_shape import STAGES
from pqbed.store.run_directory import open_run
from support.engines.netem import restart_dockerd
from support.provider import NAME, compile_provider, provider_configuration
from support.units import MS

pytestmark = [pytest.mark.docker, pytest.mark.uml, pytest.mark.timeout(2400)]

KINDS: tuple[ObjectKind, ...] = ("container", "network", "volume")
# TLS records seen with curl_cffi 0.17.0 (tests/bed/test_browsers.py): ECH GREASE has one of four lengths.
CHROME_HELLO = (1911, 2007)
# Slow enough that the real clock of a busy machine is small beside it: 1.4 to 2.6 s a fetch.
FOUR_CELLS = ("--no-aa", "--rtt", "200,400", "--bandwidth", "1mbit,1500kbit", "--size", "100", "--profile", "pq")


BALLAST_SWEEP = """
samples = 2
aa = false
profile = ["ballast", "plain"]
[profiles.ballast]
group = "Ballast"
chain = { algorithm = "rsa2048" }
stack = "ballast"
[profiles.plain]
group = "X25519"
chain = { algorithm = "rsa2048" }
stack = "ballast"
"""


class Host:
    """A user at a shell: pqbed with an engine, a state folder and a results folder of its own."""

    def __init__(self, engine: DockerEngine | None, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        docker_host = engine.host if engine else f"unix://{folder}/no-engine"
        own = {"XDG_STATE_HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
        self._environment = {**os.environ, "DOCKER_HOST": docker_host, **own}

    def pqbed(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "pqbed_cli", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pqbed_cli", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def json(self, *arguments: str) -> Any:
        command = [sys.executable, "-m", "pqbed_cli", *arguments, "--json"]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def samples(self) -> pl.DataFrame:
        (path,) = self.results.iterdir()
        with open_run(path) as run:
            return run.samples().join(run.cells(), on="cell_id").collect()


def standing(engine: DockerEngine) -> dict[str, int]:
    return {kind: len(engine.find(kind, everyones())) for kind in KINDS}


NOTHING = dict.fromkeys(KINDS, 0)


@pytest.mark.usefixtures("netem_image")
def test_docker_bed_from_up_to_down(netem_engine: DockerEngine, tmp_path: Path) -> None:
    host = Host(netem_engine, tmp_path)
    assert "docker (real clock)" in host.pqbed("up")
    assert standing(netem_engine)["container"] == 4
    host.pqbed("up")
    assert standing(netem_engine)["container"] == 4
    host.pqbed("link", "set", "--rtt", "35", "--bandwidth", "none")
    assert host.pqbed("link", "show").count("17.5ms") == 4
    # The smallest of many: the clock is real, and a busy machine delays some.
    fetched = host.json("fetch", "--count", "40", "--size", "0")
    connects = [row["tcp_connect_ns"] for row in fetched]
    assert 35.0 * MS <= min(connects) <= 36.0 * MS
    # How late a busy machine is in real time would be told of the links: test_docker_netem.py measures them.
    axes = ("--no-aa", "--rtt", "35,100", "--size", "0,20", "--samples", "2", "--calibrate", "off")
    host.pqbed("sweep", *axes, "--out", str(host.results))
    rows = host.samples()
    assert rows.height == 2 * 2 * 2 * 2 * 2
    assert set(rows["outcome"]) == {"ok"}
    assert set(rows["bed"]) == {"docker"}
    assert rows.filter(pl.col("tcp_connect_ns") < pl.col("rtt_ns")).is_empty()
    host.pqbed("down")
    assert standing(netem_engine) == NOTHING
    host.pqbed("down")


@pytest.mark.usefixtures("netem_image")
def test_two_users_sweep_at_once_and_a_third_goes_down(netem_engine: DockerEngine, tmp_path: Path) -> None:
    users = [Host(netem_engine, tmp_path / name) for name in ("first", "second")]
    third = Host(netem_engine, tmp_path / "third")
    for user in (*users, third):
        user.folder.mkdir()
    axes = ("--bed", "docker", "--no-aa", "--rtt", "35", "--size", "0", "--profile", "classical,pq")
    options = (*axes, "--samples", "6", "--lanes", "1", "--calibrate", "off")
    third.pqbed("up", "--bed", "docker")
    with ThreadPoolExecutor(len(users)) as pool:
        sweeps = [pool.submit(user.pqbed, "sweep", *options, "--out", str(user.results)) for user in users]
        deadline = time.monotonic() + 120
        while len(netem_engine.find("network", everyones())) < 3 and time.monotonic() < deadline:
            time.sleep(0.2)
        owners = {thing.labels[OWNER] for thing in netem_engine.find("network", everyones())}
        assert len(owners) == 3
        third.pqbed("down")
        for sweep in sweeps:
            sweep.result()
    for user in users:
        rows = user.samples()
        assert rows.height == 6 * 2 * 2  # samples, profiles, bandwidths
        assert set(rows["outcome"]) == {"ok"}
        assert rows.filter(pl.col("tcp_connect_ns") < 35 * MS).is_empty()
    assert standing(netem_engine) == NOTHING


@pytest.mark.usefixtures("netem_image")
def test_a_session_stays_with_its_engine_and_is_mended(netem_engine: DockerEngine, tmp_path: Path) -> None:
    host, elsewhere = Host(netem_engine, tmp_path), Host(None, tmp_path)
    host.pqbed("up", "--bed", "docker")
    assert "pqbed-0-client" in str(netem_engine.find("container", everyones()))
    elsewhere.pqbed("status")
    (row,) = elsewhere.json("fetch", "--size", "0")
    assert row["outcome"] == "ok"
    netem_engine._client.restart("pqbed-0-client", timeout=1)
    assert "its container pqbed-0-client was restarted" in elsewhere.pqbed("status", code=3)
    refused = elsewhere.pqbed("fetch", "--size", "0", code=3)
    assert "pqbed-0-client was restarted" in refused
    assert "`pqbed up`" in refused
    assert "Traceback" not in refused
    host.pqbed("up", "--bed", "docker")
    (row,) = host.json("fetch", "--size", "0")
    assert row["tcp_connect_ns"] >= 35 * MS
    assert f"on {netem_engine.host}" in elsewhere.pqbed("down")
    assert standing(netem_engine) == NOTHING


def test_an_engine_that_restarts_under_a_session_is_named_and_mended(
    netem_engine: DockerEngine, netem_image: str, tmp_path: Path
) -> None:
    if os.environ.get("PQBED_TEST_NETEM_ENGINE"):
        pytest.skip("the engine is not one that the tests may restart")
    host = Host(netem_engine, tmp_path)
    host.pqbed("up", "--bed", "docker")
    fetching = host.start("fetch", "--count", "500", "--size", "0")
    while not any(one.busy for one in netem_engine.find("container", everyones())):
        assert fetching.poll() is None
        time.sleep(0.2)
    restart_dockerd(netem_engine, netem_image)
    _, said = fetching.communicate(timeout=120)
    assert fetching.returncode == 3, said
    assert_one_sentence(said)
    assert "has stopped" in host.pqbed("status", code=3)
    refused = host.pqbed("fetch", "--size", "0", code=3)
    assert "has stopped" in refused
    assert "`pqbed up`" in refused
    assert_one_sentence(refused)
    host.pqbed("up", "--bed", "docker")
    (row,) = host.json("fetch", "--size", "0")
    assert row["tcp_connect_ns"] >= 35 * MS
    host.pqbed("down")
    assert standing(netem_engine) == NOTHING


@pytest.mark.usefixtures("netem_image")
def test_a_network_or_a_stage_that_goes_under_a_session_costs_no_time_over_an_unshaped_link(
    netem_engine: DockerEngine, tmp_path: Path
) -> None:
    host = Host(netem_engine, tmp_path)
    host.pqbed("up", "--bed", "docker")
    host.pqbed("link", "set", "--layout", "router")
    for stage in STAGES:
        netem_engine._client.restart(f"pqbed-0-{stage}", timeout=1)
    (row,) = host.json("fetch", "--size", "0")
    assert (row["outcome"], row["tcp_connect_ns"] >= 35 * MS) == ("ok", True)
    for container in netem_engine.find("container", everyones()):
        if container.networks:
            netem_engine._client.disconnect_container_from_network(container.id, "pqbed-0", force=True)
    netem_engine._client.remove_network("pqbed-0")
    assert "no longer on the network pqbed-0" in host.pqbed("status", code=3)
    refused = host.pqbed("fetch", "--size", "0", code=3)
    assert "no longer on the network pqbed-0" in refused
    assert_one_sentence(refused)
    host.pqbed("up", "--bed", "docker")
    (row,) = host.json("fetch", "--size", "0")
    assert row["tcp_connect_ns"] >= 35 * MS
    host.pqbed("down")
    assert standing(netem_engine) == NOTHING


def assert_one_sentence(said: str) -> None:
    """Assert that an error is its line and a hint."""
    assert "Traceback" not in said
    first, *hint = said.strip().splitlines()
    assert first.startswith("pqbed: "), said
    assert len(hint) <= 1, said
    assert all(line.startswith("  hint: ") for line in hint)


@pytest.mark.usefixtures("netem_image")
def test_a_stack_from_files_is_measured_in_an_image_of_its_own(netem_engine: DockerEngine, tmp_path: Path) -> None:
    prepare_root()  # its OpenSSL checks the module
    host = Host(netem_engine, tmp_path)
    configuration = provider_configuration(tmp_path, client_bytes=3_000, server_bytes=5_000)
    host.pqbed("stack", "add", "ballast", "--module", str(compile_provider(tmp_path)), "--conf", str(configuration))
    spec = tmp_path / "sweep.toml"
    spec.write_text(BALLAST_SWEEP)
    axes = ("--rtt", "35", "--bandwidth", "1mbit", "--size", "0", "--calibrate", "off", "--lanes", "1")
    host.pqbed("sweep", "--bed", "docker", "--spec", str(spec), *axes, "--out", str(host.results))
    rows = host.samples()
    columns = ("profile", "bed", "outcome", "group", "provider", "client_provider")
    assert set(rows.select(columns).unique().rows()) == {
        ("ballast", "docker", "ok", NAME, NAME, NAME),
        ("plain", "docker", "ok", "x25519", "default", "default"),
    }
    # Three round trips and, at 1 Mbit/s, 8 us for each byte of the shares.
    least_ns = 105 * MS + 8_000 * (3_000 + 5_000)
    assert rows.filter((pl.col("profile") == "ballast") & (pl.col("last_byte_ns") < least_ns)).is_empty()
    host.pqbed("up", "--bed", "docker")
    (row,) = host.json("fetch", "--stack", "ballast", "--size", "0")
    assert row["outcome"] == "ok"
    host.pqbed("down")
    assert standing(netem_engine) == NOTHING
    for reference in netem_engine.images("pqbed/ballast:"):
        netem_engine.remove_image(reference)


@pytest.mark.parametrize("mtu", [1500, 1280])
def test_the_hello_of_a_browser_is_two_segments_on_the_wire_of_an_engine(
    netem_engine: DockerEngine, netem_image: str, chrome_image: str, tmp_path: Path, mtu: int
) -> None:
    for recipe in stack_contexts(("chrome",)):
        assert netem_engine.image_id(recipe.reference) in {netem_image, chrome_image}
    host = Host(netem_engine, tmp_path)
    cell = ("--rtt", "35", "--bandwidth", "10", "--size", "0", "--profile", "pq", "--client-stack", "chrome")
    traced = host.json("trace", "--bed", "docker", *cell, "--mtu", str(mtu), "--out", str(host.results))
    hello, *_ = (flight for flight in traced["flights"] if flight["name"] == "ClientHello")
    least, most = CHROME_HELLO
    assert hello["segments"] == 2
    assert least <= hello["payload_bytes"] <= most
    assert standing(netem_engine) == NOTHING


def test_without_netem_the_uml_bed_takes_over_in_containers(
    private_engine: DockerEngine, stack_image: str, tmp_path: Path
) -> None:
    guest_image(private_engine, stack_image, tmp_path)
    host = Host(private_engine, tmp_path)
    assert "no sch_netem" in host.pqbed("doctor")
    said = host.pqbed("up")
    assert "uml (virtual clock)" in said
    assert "sch_netem" in said
    host.pqbed("link", "set", "--rtt", "35", "--bandwidth", "none")
    fetched = host.json("fetch", "--size", "0")
    (row,) = fetched
    assert 35.0 * MS <= row["tcp_connect_ns"] <= 35.1 * MS
    host.pqbed("sweep", "--rtt", "35", "--size", "0", "--samples", "2", "--out", str(host.results))
    assert set(host.samples()["outcome"]) == {"ok"}
    refused = host.pqbed("up", "--bed", "docker", code=3)
    assert "sch_netem" in refused
    host.pqbed("down")
    assert standing(private_engine) == NOTHING


@pytest.mark.usefixtures("netem_image")
def test_docker_and_uml_agree_on_the_real_clock(netem_engine: DockerEngine, tmp_path: Path) -> None:
    medians = {}
    for bed, engine in (("docker", netem_engine), ("uml", None)):
        host = Host(engine, tmp_path / bed)
        host.folder.mkdir()
        options: tuple[str, ...] = (*FOUR_CELLS, "--samples", "5", "--bed", bed, "--clock", "real", "--lanes", "1")
        options += ("--calibrate", "off")
        host.pqbed("sweep", *options, "--out", str(host.results))
        rows = host.samples()
        assert set(rows["outcome"]) == {"ok"}
        by_cell = rows.group_by("cell_id").agg(pl.col("last_byte_ns").median()).sort("cell_id")
        medians[bed] = by_cell["last_byte_ns"].to_numpy()
    assert len(medians["docker"]) == 4
    ratios = medians["docker"] / medians["uml"]
    assert np.abs(ratios - 1).max() < 0.03, ratios


def guest_image(engine: DockerEngine, stack_image: str, folder: Path) -> None:
    """Give the engine what images/uml/Dockerfile makes, from the kernel in the cache: a build of minutes is spared."""
    _, recipe = docker_contexts()
    if engine.image_id(recipe.reference) is not None:
        return
    context = folder / "context"
    context.mkdir()
    kernel = context / "linux"
    kernel.write_bytes(prepare_uml().kernel.read_bytes())
    kernel.chmod(0o755)
    (context / "Dockerfile").write_text(f"FROM {stack_image}\nCOPY linux {GUEST_KERNEL}\n")
    engine.build_image(context, recipe.reference, {}, {})
