import tomllib
from importlib import resources

import pytest

from pqbed.errors import SpecError
from pqbed.plan import cell_id, plan_sweep
from pqbed.spec import presets
from pqbed.spec.link import Link, RandomLoss
from pqbed.spec.link_presets import NOTES, builtin_links, link_from, link_table, whole_link
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_checks import cell_count
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml

MS = 1_000_000
MINE = {"rtt": "20ms", "bandwidth": "3mbit", "loss": "2%", "source": "a line at home"}
FILE = {"link": ["mine", "wpt-dsl"], "links": {"mine": MINE}, "size": ["0KiB"]}


def links_of(sweep: Sweep) -> list[Link]:
    return list(dict.fromkeys(cell.link for cell in plan_sweep(sweep).cells.values()))


def main_values(link: Link) -> tuple[object, ...]:
    return (link.name, link.rtt_ns, link.bandwidth_bps, link.bandwidth_up_bps, link.loss)


def test_links_are_a_list_and_no_product() -> None:
    sweep, _ = sweep_from({"link": "wpt-dsl,wpt-3g,geo"}, bare=True)
    assert [main_values(link) for link in links_of(sweep)] == [
        ("wpt-dsl", 50 * MS, 1_500_000, 384_000, RandomLoss()),
        ("wpt-3g", 300 * MS, 1_600_000, 768_000, RandomLoss()),
        ("geo", 596_386_000, None, None, RandomLoss()),
    ]
    assert cell_count(sweep) == len(plan_sweep(sweep).cells)


def test_axes_typed_beside_links_apply_to_each_and_multiply() -> None:
    sweep, _ = sweep_from({"link": "apple-very-bad,wpt-dsl", "loss": "0,1", "rtt": "40"}, bare=True)
    losses = [RandomLoss(), RandomLoss(probability_ppm=10_000)]
    assert [main_values(link) for link in links_of(sweep)] == [
        *(("apple-very-bad", 40 * MS, 10**6, None, loss) for loss in losses),
        *(("wpt-dsl", 40 * MS, 1_500_000, 384_000, loss) for loss in losses),
    ]
    assert cell_count(sweep) == len(plan_sweep(sweep).cells)


def test_a_link_of_a_file_has_its_own_values_and_the_axes_of_the_file_otherwise() -> None:
    sweep, _ = sweep_from({**FILE, "loss": ["0%", "1%"], "layout": ["router"]})
    mine, *dsl = links_of(sweep)
    assert main_values(mine) == ("mine", 20 * MS, 3_000_000, None, RandomLoss(probability_ppm=20_000))
    assert [link.loss for link in dsl] == [RandomLoss(), RandomLoss(probability_ppm=10_000)]
    assert {link.layout for link in (mine, *dsl)} == {"router"}


def test_links_that_are_typed_have_precedence_over_the_axes_of_a_file() -> None:
    under = {"rtt": ["10ms", "20ms"], "bandwidth": ["1gbit"], "loss": ["1%"]}
    sweep, _ = sweep_from({"link": "wpt-dsl"}, bare=True, under=under)
    assert [main_values(link) for link in links_of(sweep)] == [
        ("wpt-dsl", 50 * MS, 1_500_000, 384_000, RandomLoss(probability_ppm=10_000))
    ]


def test_none_takes_the_links_of_a_file_away() -> None:
    assert sweep_from({"link": "none"}, bare=True, under=FILE)[0] == sweep_from({"size": "0"}, bare=True)[0]


def test_the_table_of_a_file_has_precedence_over_the_link_that_comes_with_pqbed() -> None:
    sweep, _ = sweep_from({"link": "wpt-dsl", "links": {"wpt-dsl": {**MINE, "rtt": "7ms"}}})
    assert [link.rtt_ns for link in links_of(sweep)] == [7 * MS]


@pytest.mark.parametrize(
    ("typed", "under"),
    [
        ({"link": "wpt-dsl,apple-very-bad", "loss": "0,3"}, {}),
        ({"link": "interop-default,wpt-edge", "rtt": "35", "queue": "50,limit:70"}, {"layout": ["router"]}),
        ({}, {**FILE, "loss": ["0%", "1%"]}),
        ({"loss": "5"}, FILE),
        ({"link": "mine"}, FILE),
    ],
)
def test_a_sweep_with_links_is_written_and_read_back(typed: dict[str, object], under: dict[str, object]) -> None:
    sweep, options = sweep_from(typed, bare=True, under=under)
    assert sweep_from(tomllib.loads(sweep_to_toml(sweep, options))) == (sweep, options)


def test_ids_follow_from_the_values_and_not_from_the_name() -> None:
    named, _ = sweep_from({"link": "wpt-dsl", "size": "0"}, bare=True)
    plain, _ = sweep_from({"rtt": "50", "bandwidth": "1.5", "bandwidth_up": "0.384", "size": "0"}, bare=True)
    first, second = plan_sweep(named), plan_sweep(plain)
    assert first.cells == second.cells
    assert list(first.links) == list(second.links)
    assert [cell_id(cell) for cell in second.cells.values()] == list(first.cells)
    assert first.block(0) == second.block(0)


@pytest.mark.parametrize(
    ("raw", "message", "hint"),
    [
        ({"link": "dsl"}, "--link: there is no link 'dsl'", "did you mean 'wpt-dsl'?"),
        ({"link": "3g"}, "--link: there is no link '3g'", "did you mean 'wpt-3g'?"),
        ({"link": "wpt-edge,apple-edge"}, "--link wpt-edge and apple-edge have the same values", "give one"),
        ({"link": "wpt-3g,wpt-3g-fast", "rtt": "9"}, "wpt-3g and wpt-3g-fast have the same values", "give one"),
        ({"link": "wpt-dsl,none"}, "--link: 'none' stands beside named links", "alone"),
        ({"link": "wpt-fios", "jitter": "3"}, "--jitter 3ms (uniform) at --rtt 4ms reaches below zero", ""),
        ({"link": "mine", "links": {"mine": {"rrt": "1ms"}}}, "there is no option 'links.mine.rrt'", "'rtt'"),
        ({"link": "mine", "links": {"mine": {"rtt": "1"}}}, "links.mine: rtt: '1' has no unit", ""),
        ({"link": "mine", "links": {"mine": {"rtt": "1ms,2ms"}}}, "links.mine: rtt has 2 values", "give one"),
        ({"links": {"none": {"rtt": "1ms"}}}, "links.none: 'none' stands for no named link", "another name"),
        ({"links": 3}, "links is not a table", "[links.NAME]"),
    ],
)
def test_refusals(raw: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(SpecError) as refused:
        sweep_from(raw, bare=True)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_an_axis_of_a_file_that_no_link_leaves_open_is_refused_and_one_below_is_not() -> None:
    with pytest.raises(SpecError, match="rtt has no effect: every link"):
        sweep_from({**FILE, "rtt": ["5ms"]})
    sweep_from(FILE, under={"rtt": ["5ms"]})


def test_what_comes_with_pqbed_is_whole_and_says_what_latency_means() -> None:
    text = resources.files(presets).joinpath("links.toml").read_text(encoding="utf-8")
    for name, table in tomllib.loads(text).items():
        link = builtin_links()[name]
        assert {"rtt", "bandwidth"} <= set(link.values)
        assert link.source
        assert link.latency
        assert set(table) - set(NOTES) == set(link.values)
        assert link_from(name, link_table(link)) == link


def test_a_link_laid_over_another_replaces_all_but_how_it_is_laid_out() -> None:
    current = Link(rtt_ns=1, loss=RandomLoss(probability_ppm=5), jitter_ns=7, layout="router", segmentation="host")
    link = whole_link(builtin_links()["wpt-dsl"], current)
    assert link == Link(
        rtt_ns=50 * MS, bandwidth_bps=1_500_000, bandwidth_up_bps=384_000, layout="router", segmentation="host"
    )
    assert link.name == "wpt-dsl"
