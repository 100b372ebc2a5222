"""A guest of the uml bed in a container without any privilege, in virtual time."""

import os
from typing import Any

import pytest

from pqbed.agent.cpu_affinity import cpu_of, pinned
from pqbed.beds.agent_lane import AgentLane
from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.labels import everyones
from pqbed.beds.docker.uml_container import open_uml_process
from pqbed.beds.make_bed import GUEST_KERNEL, GUEST_SOURCE
from pqbed.beds.uml.guest_kernel_arguments import kernel_arguments
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

pytestmark = [pytest.mark.docker, pytest.mark.uml, pytest.mark.timeout(2400)]

MS = 1_000_000
CLASSICAL = Profile(name="classical", group="X25519", chain=Chain(algorithm="p256"))


def test_a_guest_in_a_container_measures_in_virtual_time(private_engine: DockerEngine, guest_image: Any) -> None:
    argv = pinned(0, (GUEST_KERNEL, *kernel_arguments(GUEST_SOURCE, 0, "virtual")))
    lane = AgentLane(0, open_uml_process(private_engine, guest_image, argv), [CLASSICAL], 60_000 * MS, "virtual")
    try:
        (guest,) = private_engine.find("container", everyones())
        told = private_engine._client.inspect_container(guest.id)
        assert os.sched_getaffinity(told["State"]["Pid"]) == {cpu_of(0)}
        host = told["HostConfig"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"]
        cell = Cell(link=Link(rtt_ns=35 * MS), tcp=Tcp(), profile=CLASSICAL, workload=Workload(size_bytes=0))
        ((_, timings),) = lane.run({"cell": cell}, [Fetch(cell_id="cell", block=0, repetition=0, seed=1 << 40)])
        assert timings.outcome == "ok", timings
        assert timings.tcp_connect_ns == pytest.approx(35 * MS, abs=MS)
        assert timings.last_byte_ns == pytest.approx(105 * MS, abs=MS)
    finally:
        lane.close()
    assert not private_engine.find("container", everyones())
