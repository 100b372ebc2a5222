"""The named links that come with pqbed, as a table and as JSON."""

from collections.abc import Sequence
from typing import Any

from pqbed.spec.axes import AXES
from pqbed.spec.link import Link
from pqbed.spec.link_presets import NOTES, value_texts, whole_link
from pqbed.spec.named_link import NamedLink
from pqbed_cli.flags import Form
from pqbed_cli.render.number_format import NONE
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables

# Columns of values; others that a link has stand together in one more.
_VALUES = ("rtt", "bandwidth", "bandwidth_up", "loss")
_BLANK = Link(rtt_ns=0)


def print_links(links: Sequence[NamedLink], form: Form) -> None:
    if form == "json":
        print_json([_to_program(link) for link in links])
        return
    say = beside(form)
    print_tables([_table(links)], form)
    say("")
    say("latency: what the source means by it; rtt is the round-trip time that follows from it")


def _table(links: Sequence[NamedLink]) -> Table:
    columns = ("name", *(AXES[option].label for option in _VALUES), "other", "latency", "source")
    return Table(columns=columns, rows=tuple(map(_row, links)), numeric=tuple(range(1, 1 + len(_VALUES))))


def _row(link: NamedLink) -> tuple[str, ...]:
    texts = value_texts(link)
    other = ", ".join(f"{AXES[option].label} {text}" for option, text in texts.items() if option not in _VALUES)
    reading = f" ({link.reading})" if link.reading else ""
    values = [texts.get(option, NONE) for option in _VALUES]
    return (link.name, *values, other or NONE, link.latency, link.source + reading)


def _to_program(link: NamedLink) -> dict[str, Any]:
    """Return the values under the names of the columns of cells.parquet, for the axes that the link says."""
    whole = whole_link(link, _BLANK)
    columns = {
        column: value
        for option in link.values
        for column, value in zip(AXES[option].columns, AXES[option].write(whole), strict=True)
    }
    return {"name": link.name, **columns, **{note: getattr(link, note) for note in NOTES}}
