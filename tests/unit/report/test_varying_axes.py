from typing import Any

from pqbed.plan import plan_sweep
from pqbed.report.varying_axes import Axes, split_axes
from pqbed.spec.sweep_toml import sweep_from
from pqbed.store.cells_table import tabulate_cells
from support.reports import MeasuredOf


def test_what_varies_names_a_link_in_short_and_in_full(measured_of: MeasuredOf) -> None:
    measured = measured_of()
    row = measured.cells.row(0, named=True)
    assert measured.axes.varying == ("rtt",)
    assert (row["link"], row["where"], row["size"]) == ("35ms", "rtt 35ms", "0B")
    assert "bandwidth 1mbit" in measured.axes.common


def test_a_link_that_does_not_vary_is_told_by_its_main_values(measured_of: MeasuredOf) -> None:
    row = measured_of(rtt_ns=(35_000_000,)).cells.row(0, named=True)
    assert (row["link"], row["where"]) == ("one link", "rtt 35ms, bandwidth 1mbit, loss 0%")


def test_colours_take_the_axes_they_have_room_for(measured_of: MeasuredOf) -> None:
    cells = measured_of(rtt_ns=(1, 2, 3), initcwnd=(10, 20), queue_packets=(1, 2, 3, 4), samples=1).cells
    axes = split_axes(cells.to_dicts())
    assert axes.varying == ("rtt", "queue", "initcwnd")
    assert axes.inner(24) == ("rtt", "queue", "initcwnd")
    assert axes.inner(8) == ("queue", "initcwnd")
    assert axes.inner(1) == ()


def test_the_layout_is_named_where_it_varies_or_is_not_the_usual(measured_of: MeasuredOf) -> None:
    row = measured_of(layout=("ends", "router"), rtt_ns=(35_000_000,)).cells.row(0, named=True)
    assert (row["link"], row["where"]) == ("ends", "layout ends")
    assert "layout router" in measured_of(layout=("router",)).axes.common
    assert not any("layout" in text for text in measured_of().axes.common)


def test_links_are_told_apart_by_their_names_and_by_what_varies_within_one() -> None:
    def axes_of(**typed: str) -> tuple[Axes, dict[str, Any]]:
        plan = plan_sweep(sweep_from(typed, bare=True)[0])
        rows = tabulate_cells(plan, {}).to_dicts()
        return split_axes(rows), rows[-1]

    axes, geo = axes_of(link="wpt-dsl,geo")
    assert axes.varying == ("link",)
    assert (axes.label(geo), axes.title(geo)) == ("geo", "link geo")
    axes, geo = axes_of(link="wpt-dsl,geo", loss="0,1")
    assert axes.varying == ("link", "loss")
    assert axes.title(geo) == "link geo, loss 1%"
    axes, _ = axes_of(link="wpt-dsl", rtt="5,6")
    assert axes.varying == ("rtt",)
    assert "link wpt-dsl" in axes.common
    axes, _ = axes_of(rtt="5,6", bandwidth="1")
    assert axes.varying == ("rtt",)
    assert not any(text.startswith("link") for text in axes.common)
