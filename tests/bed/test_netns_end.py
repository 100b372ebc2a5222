"""Ends on a kernel as it is, netem or not: everything but the qdisc."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pqbed.errors import HostError
from pqbed.net import sysctls
from pqbed.net.addresses import IFNAME
from pqbed.net.netem_support import check_netem
from pqbed.net.run_in_namespace import open_socket
from pqbed.net.shaped_interface import ShapedInterface
from pqbed.net.veth_pair import create_link
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import shape_end
from pqbed.spec.tcp import Tcp

pytestmark = pytest.mark.netns

NAMES = ("pqbed-test-client", "pqbed-test-server")
LANE = 32_000


def ip(*words: Any) -> Any:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def lane() -> Iterator[Any]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    made = []
    try:
        for name in NAMES:
            ip("netns", "add", name)
            made.append(name)
        paths = tuple(f"/var/run/netns/{name}" for name in NAMES)
        yield create_link(LANE, *paths), *paths
    finally:
        for name in made:
            ip("netns", "del", name)


@pytest.fixture
def end(lane: Any) -> Iterator[Any]:
    with ShapedInterface(lane[1], IFNAME) as end:
        yield end


def shape(link: Any = Link(rtt_ns=0), tcp: Any = Tcp()) -> Any:  # noqa: B008 - frozen values
    return shape_end(link, tcp, "client", seed=1)


def test_pair_carries_the_first_packet_and_asks_for_no_neighbour(lane: Any) -> None:
    plan, client, server = lane
    with (
        open_socket(client, socket.AF_INET, socket.SOCK_DGRAM) as sender,
        open_socket(server, socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind((plan.server.address, 9))
        receiver.settimeout(5)
        sender.sendto(b"x", (plan.server.address, 9))
        assert receiver.recvfrom(10)[1][0] == plan.client.address
    (neighbour,) = json.loads(ip("-n", NAMES[0], "-j", "neigh", "show"))
    assert (neighbour["lladdr"], neighbour["state"]) == (plan.server.mac, ["PERMANENT"])
    assert "inet6" not in ip("-n", NAMES[0], "addr", "show", "dev", IFNAME)


@pytest.mark.parametrize(("segmentation", "segments"), [("wire", 1), ("offload-off", 65535), ("host", 65535)])
def test_ideal_link_is_set_without_netem(end: Any, segmentation: Any, segments: Any) -> None:
    asked = shape(Link(rtt_ns=0, segmentation=segmentation), Tcp(mtu=1400, initcwnd_client=33, initrwnd=44))
    state = end.shape(asked)
    assert state.applied == replace(asked, limit_packets=0, seed=0)
    assert state.text == "qdisc noqueue 0: root"
    (told,) = json.loads(ip("-n", NAMES[0], "-j", "-d", "link", "show", "dev", IFNAME))
    assert (told["mtu"], told["gso_max_segs"]) == (1400, segments)
    assert "initcwnd 33 initrwnd 44 congctl cubic" in ip("-n", NAMES[0], "route", "show")


def test_clear_leaves_the_end_as_it_was_found(end: Any) -> None:
    before = end.read()
    end.shape(shape(tcp=Tcp(mtu=1280)))
    assert end.read() != before
    end.clear()
    assert end.read() == before


def test_unknown_congestion_control_is_refused(end: Any) -> None:
    with pytest.raises(HostError, match="nonesuch"):
        end.shape(shape(tcp=Tcp(congestion_control="nonesuch")))


def test_seed_without_shape_is_refused(end: Any) -> None:
    with pytest.raises(HostError, match="must be shaped"):
        end.reseed(1)


def test_sysctls_are_pinned_in_the_namespace_alone(lane: Any) -> None:
    here = sysctls.read()
    assert {name: value for name, value in sysctls.pin(lane[1]).items() if name in sysctls.PINS} == sysctls.PINS
    assert sysctls.read() == here


def test_netem_is_there_or_its_absence_has_a_cure(lane: Any, end: Any) -> None:
    told = None
    try:
        check_netem(IFNAME, lane[1])
    except HostError as error:
        told = error
    if told is not None:
        assert "no sch_netem" in told.message
        assert "--bed uml" in told.hint
    assert end.read().text == "qdisc noqueue 0: root"
