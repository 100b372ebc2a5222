"""Lanes of the docker bed on an engine in memory: whole or not at all, one owner's or another's, and down by label."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds.docker.addresses import SLOTS, free_slots, slot_addresses
from pqbed.beds.docker.bed import DockerBed, owners_on, take_down, up_lane_fault
from pqbed.beds.docker.containers import add_stack, create_lane, ensure_lane, examine_lane
from pqbed.beds.docker.engine_interface import MIB, NetworkSpec, Owned
from pqbed.beds.docker.images import IMAGE as IMAGE_LABEL
from pqbed.beds.docker.images import remove_images
from pqbed.beds.docker.labels import BED, LANE, OWNER, PARTS, ROLE, RUN, SLOT, UP, Creator, owner_name, this_run
from pqbed.beds.docker.netem_probe import netem_in_engine
from pqbed.beds.docker.router_stages import ensure_stages
from pqbed.beds.docker.uml_container import open_uml_process
from pqbed.errors import EngineError, LaneError, PqbedError, SpecError
from pqbed.spec.link_end_shape import STAGES
from pqbed.spec.profile import Chain, Profile
from support.fake_engine import FakeEngine, Scripted, frame

IMAGE = "sha256:image"
ME = Creator(owner="me@here/1", run="1-a")
UP_OF_ME = Creator(owner=ME.owner, run=UP)
OTHER = Creator(owner="you@there/2", run="2-b")
FOREIGN = {
    "theirs": Owned(kind="container", id="theirs", name="web", labels={}, running=True),
    "their-net": Owned(kind="network", id="their-net", name="web", labels={"io.other.bed": "docker"}),
}
READY = b'{"id":0,"done":null}\n{"id":1,"done":null}\n'


def bed_on(engine: FakeEngine, creator: Creator = ME) -> DockerBed:
    return DockerBed(engine, lambda *_: {"openssl": IMAGE}, creator)


def bring_up(engine: FakeEngine, creator: Creator = ME) -> bool:
    """Bring the lane of `up` up on an engine whose kernel has netem."""
    engine.connection = Scripted([frame(1, READY)])
    try:
        return bed_on(engine, creator).up()
    finally:
        engine.connection = Scripted([])


def calls_of(work: Any) -> Any:
    engine = FakeEngine()
    work(engine)
    return len(engine.calls)


CREATE_CALLS = calls_of(lambda engine: create_lane(engine, ME, 0, IMAGE))
UP_CALLS = calls_of(bring_up)


def test_a_lane_is_four_containers_without_privileges() -> None:
    engine = FakeEngine()
    lane = create_lane(engine, ME, 3, IMAGE)
    assert set(lane.parts) == set(PARTS)
    for part, container in lane.parts.items():
        spec = engine.specs[container]
        assert engine.things[container].running
        owner = {OWNER: "me@here/1", RUN: "1-a"}
        assert spec.labels == {BED: "docker", **owner, LANE: "3", SLOT: "0", ROLE: part}
        if part in ("server", "client"):
            assert (spec.user, spec.capabilities, spec.joins) == ("1000:1000", (), None)
            assert spec.sysctls["net.ipv4.tcp_no_metrics_save"] == "1"
        else:
            assert spec.capabilities == ("NET_ADMIN",)
            assert spec.joins == lane.parts[part.removesuffix("-end")]
            assert spec.attachment is None


def test_every_container_has_limits() -> None:
    engine = FakeEngine(connection=Scripted([]))
    lane = create_lane(engine, ME, 0, IMAGE)
    ensure_stages(engine, lane)
    add_stack(engine, lane, "server", "other", "sha256:other")
    open_uml_process(engine, IMAGE, ["linux"])
    assert len(engine.specs) == 10
    for spec in engine.specs.values():
        assert 0 < spec.limits.pids <= 512
        assert 0 < spec.limits.memory_bytes <= 2048 * MIB
        assert all("size=" in options for options in spec.tmpfs.values())


def test_up_twice_keeps_the_lane() -> None:
    engine = FakeEngine()
    first, created = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    assert created
    assert ensure_lane(engine, UP_OF_ME, 0, IMAGE) == (first, False)


@pytest.mark.parametrize("part", PARTS)
def test_a_lane_with_a_dead_part_is_created_again(part: str) -> None:
    engine = FakeEngine()
    first, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    engine.change(first.parts[part], running=False)
    assert examine_lane(engine, UP_OF_ME, 0) == (None, f"its container pqbed-0-{part} has stopped")
    second, created = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    assert created
    assert not set(first.parts.values()) & set(engine.things)
    assert examine_lane(engine, UP_OF_ME, 0) == (second, "")


def test_a_lane_on_another_image_is_created_again() -> None:
    engine = FakeEngine()
    ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    _, created = ensure_lane(engine, UP_OF_ME, 0, "sha256:newer")
    assert created
    assert len(engine.things) == 5


@pytest.mark.parametrize("part", ["server", "client"])
def test_an_end_that_is_older_than_its_holder_shapes_a_namespace_that_no_longer_is(part: str) -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    engine.start_container(lane.parts[part])
    assert up_lane_fault(engine, ME.owner) == f"its container pqbed-0-{part} was restarted"
    assert ensure_lane(engine, UP_OF_ME, 0, IMAGE)[1]
    assert up_lane_fault(engine, ME.owner) == ""


@pytest.mark.parametrize("part", ["server-end", "client-end"])
def test_an_end_that_was_restarted_is_in_its_holders_namespace_again(part: str) -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    engine.start_container(lane.parts[part])
    assert examine_lane(engine, UP_OF_ME, 0) == (lane, "")


def test_a_lane_without_its_network_has_a_fault() -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    engine.change(lane.parts["client"], networks=())
    expected = "its container pqbed-0-client is no longer on the network pqbed-0"
    assert up_lane_fault(engine, ME.owner) == expected


def test_a_lane_that_is_gone_has_a_fault() -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    del engine.things[lane.parts["server-end"]]
    assert up_lane_fault(engine, ME.owner) == "its container server-end is gone"
    assert up_lane_fault(FakeEngine(), ME.owner) == "its containers are gone"


def test_a_session_refuses_a_lane_with_a_fault_and_says_what_mends_it() -> None:
    engine = FakeEngine(connection=Scripted([]))
    bring_up(engine)
    (client,) = (thing for thing in engine.things.values() if thing.labels[ROLE] == "client")
    engine.start_container(client.id)
    before = dict(engine.things)
    with pytest.raises(LaneError, match="cannot be used: its container pqbed-0-client was restarted") as refused:
        bed_on(engine).open_up_lane([profile()], 10**9)
    assert "pqbed up" in refused.value.hint
    assert engine.things == before


def test_a_session_refuses_a_lane_on_an_image_of_another_version() -> None:
    engine = FakeEngine()
    ensure_lane(engine, UP_OF_ME, 0, "sha256:older")
    with pytest.raises(LaneError, match="another version of pqbed"):
        bed_on(engine).open_up_lane([profile()], 10**9)


def test_lanes_of_two_owners_share_neither_names_nor_addresses() -> None:
    engine = FakeEngine()
    lanes = [create_lane(engine, creator, index, IMAGE) for creator in (ME, OTHER, UP_OF_ME) for index in range(2)]
    assert [lane.claim.slot for lane in lanes] == list(range(6))
    assert len({spec.name for spec in engine.specs.values()}) == 24
    assert len({spec.subnet for spec in engine.networks.values()}) == 6
    for creator, first in ((ME, lanes[0]), (OTHER, lanes[2]), (UP_OF_ME, lanes[4])):
        assert examine_lane(engine, creator, 0) == (first, "")


def test_a_slot_that_another_claims_at_the_same_moment_is_left_to_it() -> None:
    class Racing(FakeEngine):
        """Another process creates its network after this one has looked for a free slot, twice."""

        races = 2

        def create_network(self, spec: NetworkSpec) -> str:
            if self.races:
                self.races -= 1
                other = replace(spec, labels={**spec.labels, **OTHER.labels})
                super().create_network(other)
            return super().create_network(spec)

    engine = Racing()
    lane = create_lane(engine, ME, 0, IMAGE)
    assert lane.claim.slot == 2
    assert sorted(thing.name for thing in engine.things.values() if thing.labels[OWNER] == OTHER.owner) == [
        "pqbed-0",
        "pqbed-1",
    ]
    assert len(engine.things) == 5 + 2


def test_a_name_that_is_taken_costs_its_slot_only() -> None:
    engine = FakeEngine()
    left = Owned(kind="container", id="left", name="pqbed-0-client", labels={BED: "docker"})
    engine.things["left"] = left
    assert create_lane(engine, ME, 0, IMAGE).claim.slot == 1
    assert len(engine.things) == 6


def test_a_foreign_network_is_avoided() -> None:
    engine = FakeEngine(foreign_subnets=("198.18.0.0/24", "10.0.0.0/8", "fd00::/64"))
    assert create_lane(engine, ME, 0, IMAGE).claim.slot == 16


def test_an_engine_without_free_addresses_says_so() -> None:
    engine = FakeEngine(foreign_subnets=("198.18.0.0/15",))
    with pytest.raises(EngineError, match="no free addresses") as refused:
        create_lane(engine, ME, 0, IMAGE)
    assert "docker network ls" in refused.value.hint
    assert engine.things == {}


def test_down_removes_what_its_owner_created_and_nothing_else() -> None:
    engine = FakeEngine(things=dict(FOREIGN))
    create_lane(engine, OTHER, 0, IMAGE)
    others = dict(engine.things)
    bring_up(engine)
    create_lane(engine, ME, 0, IMAGE)
    assert len(take_down(engine, ME.owner)) == 10
    assert engine.things == others
    assert take_down(engine, ME.owner) == ()


def test_everything_is_listed_by_owner_and_removed_on_request() -> None:
    engine = FakeEngine(things=dict(FOREIGN))
    create_lane(engine, OTHER, 0, IMAGE)
    bring_up(engine)
    engine.things["old"] = Owned(kind="container", id="old", name="pqbed-9-server", labels={BED: "docker", LANE: "9"})
    owners = owners_on(engine)
    assert {owner: len(names) for owner, names in owners.items()} == {OTHER.owner: 5, ME.owner: 5, "": 1}
    assert owners[""] == ("container pqbed-9-server",)
    assert len(take_down(engine, None)) == 11
    assert engine.things == FOREIGN


def test_an_owner_is_a_user_with_one_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PQBED_OWNER", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "one"))
    first = owner_name()
    assert owner_name() == first == this_run().owner
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "two"))
    assert owner_name() != first
    monkeypatch.setenv("PQBED_OWNER", "ci")
    assert owner_name() == "ci"


def test_stages_are_four_containers_that_only_shape_and_forward() -> None:
    engine = FakeEngine()
    create_lane(engine, OTHER, 0, IMAGE)
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    stages = ensure_stages(engine, lane)
    assert tuple(stages) == STAGES
    for stage, container in stages.items():
        spec = engine.specs[container]
        assert engine.things[container].running
        assert (spec.capabilities, spec.joins, spec.attachment.network) == (("NET_ADMIN",), None, "pqbed-1")
        assert spec.attachment.address == slot_addresses(1).stages[stage].address
        assert spec.sysctls["net.ipv4.ip_forward"] == "1"
        assert spec.labels == lane.claim.labels(stage)
    # A lane with them is the same lane, and is taken down with them.
    assert ensure_lane(engine, UP_OF_ME, 0, IMAGE) == (lane, False)
    assert len(take_down(engine, ME.owner)) == 9


def test_stages_that_run_are_taken_and_others_created_again() -> None:
    engine = FakeEngine()
    lane = create_lane(engine, ME, 0, IMAGE)
    first = ensure_stages(engine, lane)
    assert ensure_stages(engine, lane) == first
    engine.change(first["up-rate"], running=False)
    second = ensure_stages(engine, lane)
    assert {stage for stage in STAGES if second[stage] != first[stage]} == {"up-rate"}


@pytest.mark.parametrize("answer_lost", [False, True])
def test_an_engine_that_fails_at_a_stage_can_be_asked_again(answer_lost: bool) -> None:
    for number in itertools.count(1):
        engine = FakeEngine(answer_lost=answer_lost)
        lane = create_lane(engine, ME, 0, IMAGE)
        engine.fail_at = len(engine.calls) + number
        try:
            ensure_stages(engine, lane)
        except EngineError:
            assert tuple(ensure_stages(engine, lane)) == STAGES
            assert len(take_down(engine, ME.owner)) == 9
        else:
            break
    assert number > 8


def test_a_lane_in_use_is_refused() -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    engine.change(lane.parts["server"], busy=True)
    with pytest.raises(LaneError, match="a program is running in pqbed-0-server") as refused:
        ensure_lane(engine, UP_OF_ME, 0, "sha256:newer")
    assert "down" not in refused.value.hint
    assert len(engine.things) == 5


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("number", range(1, CREATE_CALLS + 1))
def test_an_engine_that_fails_at_any_call_leaves_nothing(number: int, answer_lost: bool) -> None:
    engine = FakeEngine(fail_at=number, answer_lost=answer_lost, things=dict(FOREIGN))
    with pytest.raises(EngineError, match=r"the engine('s answer was lost| failed at)"):
        create_lane(engine, ME, 0, IMAGE)
    assert engine.things == FOREIGN
    assert create_lane(engine, ME, 0, IMAGE).claim.slot == 0


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("number", range(1, UP_CALLS + 1))
def test_an_up_that_fails_leaves_nothing(number: int, answer_lost: bool) -> None:
    engine = FakeEngine(fail_at=number, answer_lost=answer_lost, things=dict(FOREIGN))
    with pytest.raises(EngineError):
        bring_up(engine)
    assert engine.things == FOREIGN


def test_an_up_that_cannot_shape_leaves_nothing() -> None:
    engine = FakeEngine(things=dict(FOREIGN))
    answer = b'{"id":1,"error":{"kind":"HostError","message":"no seed","hint":"6.6"}}\n'
    engine.connection = Scripted([frame(1, b'{"id":0,"done":null}\n' + answer)])
    with pytest.raises(PqbedError, match="no seed"):
        bed_on(engine).up()
    assert engine.things == FOREIGN


def test_an_up_that_fails_keeps_the_lane_that_was_up() -> None:
    engine = FakeEngine()
    bring_up(engine)
    before = dict(engine.things)
    engine.connection = Scripted([])
    with pytest.raises(LaneError):
        bed_on(engine).up()
    assert engine.things == before


def test_down_goes_on_where_it_was_interrupted() -> None:
    for number in itertools.count(1):
        engine = FakeEngine(things=dict(FOREIGN))
        bring_up(engine)
        engine.fail_at = len(engine.calls) + number
        try:
            take_down(engine, ME.owner)
        except EngineError:
            take_down(engine, ME.owner)
            assert engine.things == FOREIGN
        else:
            break
    assert number > 5


def test_images_are_removed_by_label_alone() -> None:
    images = {"pqbed/openssl:1": "a", "pqbed/mine:1": "b", "debian:trixie-slim": "c"}
    engine = FakeEngine(local_images=dict(images), labelled={"pqbed/openssl:1": {IMAGE_LABEL: "openssl"}})
    take_down(engine, ME.owner)
    assert engine.local_images == images
    assert remove_images(engine) == ("image pqbed/openssl:1",)
    assert engine.local_images == {"pqbed/mine:1": "b", "debian:trixie-slim": "c"}


def test_opening_a_lane_that_fails_leaves_the_engine_as_it_was() -> None:
    for up_before in (False, True):
        for number in itertools.count(1):
            engine = FakeEngine(connection=Scripted([]))
            if up_before:
                bring_up(engine)
            before = dict(engine.things)
            engine.fail_at = len(engine.calls) + number
            with pytest.raises(PqbedError):
                bed_on(engine).open_lane(0, [profile()], 10**9)
            assert engine.things == before
            if engine.fail_at > len(engine.calls):
                break


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_probe_and_a_guest_leave_nothing(number: int) -> None:
    for work in (netem_in_engine, lambda engine, image: open_uml_process(engine, image, ["linux"])):
        engine = FakeEngine(fail_at=number, connection=Scripted([]), things=dict(FOREIGN))
        with pytest.raises(PqbedError):
            work(engine, IMAGE)
        assert engine.things == FOREIGN


def test_a_guest_is_attached_before_it_starts_and_goes_with_its_process() -> None:
    engine = FakeEngine(connection=Scripted([]))
    process = open_uml_process(engine, IMAGE, ["linux", "mem=512M"])
    assert engine.calls == ["create_container", "attach", "start_container"]
    (spec,) = engine.specs.values()
    assert spec.attached
    assert spec.tmpfs == {"/tmp": "exec,mode=1777,size=1g"}
    assert spec.labels[OWNER] == owner_name()
    assert (spec.capabilities, spec.attachment, spec.joins, spec.user) == ((), None, None, "1000:1000")
    assert process.readline(1) == ""
    process.close()
    process.close()
    assert engine.things == {}


def test_addresses_of_slots_are_apart_and_end_with_the_range() -> None:
    first, second = slot_addresses(0), slot_addresses(1)
    assert (first.subnet, first.server.address, first.client.address) == ("198.18.0.0/28", "198.18.0.1", "198.18.0.2")
    assert [stage.address for stage in first.stages.values()] == [f"198.18.0.{number}" for number in range(3, 7)]
    assert second.subnet == "198.18.0.16/28"
    assert second.server.mac == "02:71:c6:12:00:11"
    assert slot_addresses(SLOTS - 1).gateway == "198.19.255.254"
    with pytest.raises(SpecError, match="there is no lane"):
        slot_addresses(SLOTS)


def test_free_slots_are_those_that_no_network_overlaps() -> None:
    assert list(itertools.islice(free_slots(["198.18.0.16/28", "198.18.0.64/27"]), 5)) == [0, 2, 3, 6, 7]


def test_another_stack_joins_the_namespace_without_any_privilege() -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    owned, container = add_stack(engine, lane, "server", "other", "sha256:other")
    spec = engine.specs[container]
    assert (spec.image, spec.joins) == ("sha256:other", lane.parts["server"])
    assert (spec.user, spec.capabilities) == ("1000:1000", ())
    assert engine.things[container].running
    engine.remove(owned)
    assert examine_lane(engine, UP_OF_ME, 0) == (lane, "")


def test_a_stack_that_a_killed_session_left_gives_way() -> None:
    engine = FakeEngine()
    lane, _ = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    left, _ = add_stack(engine, lane, "client", "other", "sha256:other")
    lane, created = ensure_lane(engine, UP_OF_ME, 0, IMAGE)
    assert not created
    add_stack(engine, lane, "client", "other", "sha256:other")
    assert left.id not in engine.things
    assert len(engine.find("container", {BED: None})) == len(PARTS) + 1


def profile(stack: str = "openssl") -> Profile:
    return Profile(name="classical", group="X25519", chain=Chain(algorithm="p256"), stack=stack)
