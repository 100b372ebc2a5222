"""Lanes of the docker bed on an engine in memory: whole or not at all, and down by label alone."""

import itertools

import pytest

from pqbed.beds.docker.addresses import LANES, lane_addresses
from pqbed.beds.docker.bed import DockerBed
from pqbed.beds.docker.containers import add_stack, ensure_lane, find_lane, running_lanes
from pqbed.beds.docker.engine import Owned
from pqbed.beds.docker.guest import open_uml_process
from pqbed.beds.docker.labels import BED, LANE, PARTS, ROLE
from pqbed.beds.docker.netem import netem_in_engine
from pqbed.beds.docker.stages import ensure_stages
from pqbed.errors import EngineError, LaneError, PqbedError, SpecError
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.shape import STAGES
from support.fake_engine import FakeEngine, Scripted, frame

IMAGE = "sha256:image"
FOREIGN = {
    "theirs": Owned(kind="container", id="theirs", name="web", labels={}, running=True),
    "their-net": Owned(kind="network", id="their-net", name="web", labels={"io.other.bed": "docker"}),
}


def bed_on(engine):
    return DockerBed(engine, lambda *_: {"openssl": IMAGE})


def start_session(engine, lanes):
    """Bring lanes up on an engine whose kernel has netem."""
    engine.connection = Scripted([frame(1, b'{"id":0,"done":null}\n{"id":1,"done":null}\n')])
    try:
        return bed_on(engine).up(lanes)
    finally:
        engine.connection = Scripted([])


def calls_of(work):
    engine = FakeEngine()
    work(engine)
    return len(engine.calls)


UP_CALLS = calls_of(lambda engine: ensure_lane(engine, 0, IMAGE))
UP_TWO_CALLS = calls_of(lambda engine: start_session(engine, 2))


def test_a_lane_is_four_containers_without_privileges():
    engine = FakeEngine()
    lane, made = ensure_lane(engine, 3, IMAGE)
    assert made
    assert set(lane.parts) == set(PARTS)
    for part, identity in lane.parts.items():
        spec = engine.specs[identity]
        assert engine.things[identity].running
        assert spec.labels == {BED: "docker", LANE: "3", ROLE: part}
        if part in ("server", "client"):
            assert (spec.user, spec.capabilities, spec.joins) == ("1000:1000", (), None)
            assert spec.sysctls["net.ipv4.tcp_no_metrics_save"] == "1"
        else:
            assert spec.capabilities == ("NET_ADMIN",)
            assert spec.joins == lane.parts[part.removesuffix("-end")]
            assert spec.attachment is None


def test_up_twice_keeps_the_lane():
    engine = FakeEngine()
    first, _ = ensure_lane(engine, 0, IMAGE)
    assert ensure_lane(engine, 0, IMAGE) == (first, False)


def test_a_lane_on_another_image_or_with_a_dead_part_is_made_anew():
    engine = FakeEngine()
    first, _ = ensure_lane(engine, 0, IMAGE)
    second, made = ensure_lane(engine, 0, "sha256:newer")
    assert made
    assert not set(first.parts.values()) & set(engine.things)
    engine.change(second.parts["client-end"], running=False)
    _, made = ensure_lane(engine, 0, "sha256:newer")
    assert made
    assert len(engine.things) == 5


def test_stages_are_four_containers_that_only_shape_and_forward():
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, 0, IMAGE)
    stages = ensure_stages(engine, lane)
    assert tuple(stages) == STAGES
    for stage, identity in stages.items():
        spec = engine.specs[identity]
        assert engine.things[identity].running
        assert (spec.capabilities, spec.joins, spec.attachment.network) == (("NET_ADMIN",), None, "pqbed-0")
        assert spec.sysctls["net.ipv4.ip_forward"] == "1"
        assert spec.labels == {BED: "docker", LANE: "0", ROLE: stage}
    # A lane with them is the same lane, and is taken down with them.
    assert ensure_lane(engine, 0, IMAGE) == (lane, False)
    assert len(bed_on(engine).take_down()) == 9
    assert engine.things == {}


def test_stages_that_run_are_taken_and_others_made_anew():
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, 0, IMAGE)
    first = ensure_stages(engine, lane)
    assert ensure_stages(engine, lane) == first
    engine.change(first["up-rate"], running=False)
    second = ensure_stages(engine, lane)
    assert {stage for stage in STAGES if second[stage] != first[stage]} == {"up-rate"}


@pytest.mark.parametrize("answer_lost", [False, True])
def test_an_engine_that_fails_at_a_stage_can_be_asked_again(answer_lost):
    for number in itertools.count(1):
        engine = FakeEngine(answer_lost=answer_lost)
        lane, _ = ensure_lane(engine, 0, IMAGE)
        engine.fail_at = len(engine.calls) + number
        try:
            ensure_stages(engine, lane)
        except EngineError:
            assert tuple(ensure_stages(engine, lane)) == STAGES
            assert len(bed_on(engine).take_down()) == 9
        else:
            break
    assert number > 8


def test_a_lane_in_use_is_refused():
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, 0, IMAGE)
    engine.change(lane.parts["server"], busy=True)
    with pytest.raises(LaneError, match="in use by another pqbed"):
        ensure_lane(engine, 0, "sha256:newer")
    assert len(engine.things) == 5


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("number", range(1, UP_CALLS + 1))
def test_an_engine_that_fails_at_any_call_leaves_nothing(number, answer_lost):
    engine = FakeEngine(fail_at=number, answer_lost=answer_lost, things=dict(FOREIGN))
    with pytest.raises(EngineError, match=r"the engine('s answer was lost| failed at)"):
        ensure_lane(engine, 0, IMAGE)
    assert engine.things == FOREIGN
    _, made = ensure_lane(engine, 0, IMAGE)
    assert made


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("number", range(1, UP_TWO_CALLS + 1))
def test_up_of_several_lanes_is_all_or_nothing(number, answer_lost):
    engine = FakeEngine(fail_at=number, answer_lost=answer_lost, things=dict(FOREIGN))
    with pytest.raises(EngineError):
        start_session(engine, 2)
    assert engine.things == FOREIGN


def test_up_of_more_lanes_keeps_those_that_were_up_when_it_fails():
    engine = FakeEngine()
    start_session(engine, 1)
    engine.fail_at = len(engine.calls) + 12
    with pytest.raises(EngineError):
        start_session(engine, 3)
    assert list(running_lanes(engine)) == [0]


def test_down_removes_what_is_ours_and_nothing_else():
    engine = FakeEngine(things=dict(FOREIGN))
    start_session(engine, 2)
    removed = bed_on(engine).take_down()
    assert len(removed) == 10
    assert engine.things == FOREIGN
    assert bed_on(engine).take_down() == ()


def test_down_goes_on_where_it_was_interrupted():
    for number in itertools.count(1):
        engine = FakeEngine(things=dict(FOREIGN))
        start_session(engine, 1)
        engine.fail_at = len(engine.calls) + number
        try:
            bed_on(engine).take_down()
        except EngineError:
            bed_on(engine).take_down()
            assert engine.things == FOREIGN
        else:
            break
    assert number > 5


def test_down_keeps_images_unless_asked():
    engine = FakeEngine(local_images={"pqbed/openssl:1": "a", "debian:trixie-slim": "b"})
    bed_on(engine).take_down()
    assert len(engine.local_images) == 2
    bed_on(engine).take_down(images=True)
    assert engine.local_images == {"debian:trixie-slim": "b"}


def test_opening_a_lane_that_fails_leaves_the_engine_as_it_was():
    for up_before in (False, True):
        for number in itertools.count(1):
            engine = FakeEngine(connection=Scripted([]))
            if up_before:
                start_session(engine, 1)
            before = dict(engine.things)
            engine.fail_at = len(engine.calls) + number
            with pytest.raises(PqbedError):
                bed_on(engine).open_lane(0, [profile()], 10**9)
            assert engine.things == before
            if engine.fail_at > len(engine.calls):
                break


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_probe_and_a_guest_leave_nothing(number):
    for work in (netem_in_engine, lambda engine, image: open_uml_process(engine, image, ["linux"])):
        engine = FakeEngine(fail_at=number, connection=Scripted([]), things=dict(FOREIGN))
        with pytest.raises(PqbedError):
            work(engine, IMAGE)
        assert engine.things == FOREIGN


def test_a_guest_is_attached_before_it_starts_and_goes_with_its_process():
    engine = FakeEngine(connection=Scripted([]))
    process = open_uml_process(engine, IMAGE, ["linux", "mem=512M"])
    assert engine.calls == ["create_container", "attach", "start_container"]
    (spec,) = engine.specs.values()
    assert spec.attached
    assert spec.tmpfs == {"/tmp": "exec,mode=1777"}
    assert (spec.capabilities, spec.attachment, spec.joins, spec.user) == ((), None, None, "1000:1000")
    assert process.readline(1) == ""
    process.close()
    process.close()
    assert engine.things == {}


def test_addresses_of_lanes_are_apart_and_end_with_the_range():
    first, second = lane_addresses(0), lane_addresses(1)
    assert (first.subnet, first.server.address, first.client.address) == ("198.18.0.0/28", "198.18.0.1", "198.18.0.2")
    assert [stage.address for stage in first.stages.values()] == [f"198.18.0.{number}" for number in range(3, 7)]
    assert second.subnet == "198.18.0.16/28"
    assert second.server.mac == "02:71:c6:12:00:11"
    assert lane_addresses(LANES - 1).gateway == "198.19.255.254"
    with pytest.raises(SpecError, match="there is no lane"):
        lane_addresses(LANES)


def test_another_stack_joins_the_namespace_without_any_privilege():
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, 0, IMAGE)
    owned, identity = add_stack(engine, lane, "server", "other", "sha256:other")
    spec = engine.specs[identity]
    assert (spec.image, spec.joins) == ("sha256:other", lane.parts["server"])
    assert (spec.user, spec.capabilities) == ("1000:1000", ())
    assert engine.things[identity].running
    engine.remove(owned)
    assert find_lane(engine, 0) == lane


def test_a_stack_that_a_killed_session_left_gives_way():
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, 0, IMAGE)
    left, _ = add_stack(engine, lane, "client", "other", "sha256:other")
    lane, made = ensure_lane(engine, 0, IMAGE)
    assert not made
    add_stack(engine, lane, "client", "other", "sha256:other")
    assert left.id not in engine.things
    assert len(engine.find("container", {BED: None})) == len(PARTS) + 1


def profile(stack="openssl"):
    return Profile(name="classical", group="X25519", chain=Chain(algorithm="p256"), stack=stack)
