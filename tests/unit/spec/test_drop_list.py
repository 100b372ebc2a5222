import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.errors import SpecError
from pqbed.spec.drop_list import LARGEST_NUMBER, NO_DROPS, DropList, format_drops, parse_drops
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import shape_end, shape_stage
from pqbed.spec.sweep_toml import sweep_from
from pqbed.spec.tcp import Tcp

NUMBERS = st.sets(st.integers(1, LARGEST_NUMBER), max_size=9).map(lambda numbers: tuple(sorted(numbers)))


@given(up=NUMBERS, down=NUMBERS)
def test_what_is_written_is_read_back(up: tuple[int, ...], down: tuple[int, ...]) -> None:
    drops = DropList(up=up, down=down)
    assert parse_drops(format_drops(drops), bare=True) == drops


def test_runs_and_several_numbers_are_read() -> None:
    assert parse_drops("down:3-5+9+up:1", bare=True) == DropList(up=(1,), down=(3, 4, 5, 9))
    assert format_drops(DropList(up=(1,), down=(3, 4, 5, 9))) == "up:1+down:3-5+9"
    assert parse_drops("none", bare=True) == NO_DROPS


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("2", "has no direction"),
        ("left:2", "has no direction"),
        ("up:", "is not a number"),
        ("up:0", "out of range"),
        ("up:5-3", "out of range"),
        ("up:10001", "out of range"),
        ("up:1-", "is not a number"),
        ("up:1-101", "more than 100 packets"),
    ],
)
def test_what_is_no_drop_list_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(SpecError, match=wrong):
        parse_drops(text, bare=True)


def test_each_direction_loses_its_own_where_loss_is_set() -> None:
    link = Link(rtt_ns=10, drop=DropList(up=(1,), down=(2, 3)))
    assert shape_end(link, Tcp(), "client", 1).drops == (1,)
    assert shape_end(link, Tcp(), "server", 1).drops == (2, 3)
    routed = Link(rtt_ns=10, drop=link.drop, layout="router")
    stages = {stage: shape_stage(routed, Tcp(), stage, 1).drops for stage in ("up-rate", "up-delay", "down-delay")}
    assert stages == {"up-rate": (), "up-delay": (1,), "down-delay": (2, 3)}
    assert shape_end(routed, Tcp(), "client", 1).drops == ()


def test_packets_that_are_not_those_of_the_wire_are_not_counted() -> None:
    with pytest.raises(SpecError, match="--drop counts packets as they are on the wire"):
        sweep_from({"drop": "up:1", "segmentation": "wire,host"}, bare=True)
