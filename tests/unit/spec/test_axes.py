from dataclasses import fields

import pytest

from pqbed.errors import SpecError
from pqbed.spec.axes import AXES, axes_shown
from pqbed.spec.axis_words import describe_link, from_row, word_axis
from pqbed.spec.drop_list import DropList
from pqbed.spec.grid import lay_over
from pqbed.spec.link import Link, PlainLimit, RandomLoss
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.sweep import Sweep
from pqbed.spec.tcp import Tcp

NOT_AXES = {
    "name",
    "profiles",
    "aa",
    "samples",
    "precision_ppm",
    "metric",
    "seed",
    "timeout_ns",
    "cut_jitter",
    "links",
    "mixtures",
}
LINK = Link(rtt_ns=35_000_000, bandwidth_bps=10**6)


def test_every_field_of_a_sweep_that_holds_values_is_an_axis() -> None:
    assert {axis.field for axis in AXES.values()} - {"link"} == {field.name for field in fields(Sweep)} - NOT_AXES


def test_people_see_every_axis_once_those_of_one_side_behind_the_other() -> None:
    shown = [axis.option for axis in axes_shown()]
    assert sorted(shown) == sorted(AXES)
    for axis in AXES.values():
        if axis.of:
            assert shown.index(axis.of) < shown.index(axis.option)


@pytest.mark.parametrize("option", AXES)
def test_what_an_axis_writes_it_reads_back(option: str) -> None:
    axis = AXES[option]
    for value in (axis.usual, *EXAMPLES.get(option, ())):
        if value is not None or axis.of or option == "bandwidth":
            assert axis.parse_values(axis.format(value), bare=False) == (value,)


EXAMPLES = {
    "rtt": (0, 35_500_000),
    "bandwidth": (1_500_000,),
    "bandwidth_up": (0, 10**9),
    "loss": (RandomLoss(probability_ppm=1),),
    "loss_up": (RandomLoss(),),
    "queue": (7, PlainLimit(packets=9)),
    "initcwnd_client": (3,),
    "size": (0, 51_200),
    "congestion_control_client": ("bbr",),
    "delay_up": (0, 5_000_000),
    "jitter_up": (0, 5_000_000),
    "distribution_up": ("normal",),
    "queue_up": (7, PlainLimit(packets=9)),
    "path_mtu": (PathMtu(size_bytes=1400, handling="swallowed"), PathMtu(size_bytes=576, handling="clamped")),
    "drop": (DropList(up=(2,)), DropList(up=(1, 3), down=(3, 4, 5, 9))),
}


def test_a_flag_and_a_key_are_named_as_they_were_written() -> None:
    with pytest.raises(SpecError, match="--loss-up: 'x' is not a percentage"):
        AXES["loss_up"].parse_values("x")
    with pytest.raises(SpecError, match="loss_up: 'x' is not a percentage"):
        AXES["loss_up"].parse_values("x", bare=False)


def test_what_is_laid_over_one_side_leaves_the_other() -> None:
    tcp = lay_over(Tcp(), {"initcwnd_client": 5, "initcwnd": 30, "congestion_control_client": "reno"})
    assert (tcp.initcwnd_server, tcp.initcwnd_client) == (30, 5)
    assert lay_over(tcp, {"initcwnd_client": None}).initcwnd_client == 30
    assert lay_over(tcp, {"initcwnd": 10}).initcwnd_client == 10
    assert lay_over(tcp, {"congestion_control": "bbr"}).congestion_control_client is None
    assert lay_over(LINK, {"queue": PlainLimit(packets=9), "initcwnd": 3}).limit_packets == 9


def test_a_description_names_what_is_not_usual() -> None:
    assert describe_link(LINK, Tcp()) == "rtt 35ms, bandwidth 1mbit, loss 0%"
    assert describe_link(LINK, lay_over(Tcp(), {"initcwnd": 20})) == "rtt 35ms, bandwidth 1mbit, loss 0%, initcwnd 20"
    odd = lay_over(LINK, {"jitter": 5_000_000, "layout": "router", "bandwidth_up": 0, "loss_up": RandomLoss()})
    assert describe_link(odd, Tcp(initcwnd_server=10, initcwnd_client=20)) == (
        "rtt 35ms, bandwidth 1mbit (up unlimited), loss 0% (up 0%), jitter 5ms, layout router, initcwnd 10 (client 20)"
    )


def test_a_row_from_before_an_axis_has_its_usual_value() -> None:
    assert from_row({})(AXES["layout"]) == "ends"
    assert word_axis(AXES["http"], from_row({"http": None})) == "1.1"
