"""Named links: those that come with pqbed (`presets/links.toml`), those of a sweep file, and lists of them.

The values of a link have precedence over the axes of sweep files and the defaults; options typed on the command line
have precedence over the link.
"""

import functools
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from pqbed.errors import SpecError
from pqbed.spec import value_parsers
from pqbed.spec.axes import AXES, Axis
from pqbed.spec.grid import lay_over
from pqbed.spec.link import Link
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.named_link import NamedLink
from pqbed.spec.presets import link_tables

NOTES = ("source", "latency", "reading")
# The axes that a table may say, by option.
LINK_AXES: Mapping[str, Axis] = {
    option: axis for option, axis in AXES.items() if axis.part == "link" and option != "link"
}


def builtin_links() -> dict[str, NamedLink]:
    """Return the links that come with pqbed by name, in the order of the file."""
    return dict(_builtin())


def link_from(name: str, table: Mapping[str, Any]) -> NamedLink:
    """Read the table of link `name`: texts by option, with units, and notes. Raises SpecError."""
    if name == value_parsers.NONE:
        raise SpecError(f"links.{name}: {value_parsers.NONE!r} stands for no named link", "choose another name")
    said = {option: text for option, text in table.items() if text is not None}
    values = {option: _value(name, axis, str(said[option])) for option, axis in LINK_AXES.items() if option in said}
    return NamedLink(name=name, values=values, **{note: said[note] for note in NOTES if note in said})


def link_table(link: NamedLink) -> dict[str, str]:
    """Return the table that `link_from` reads back."""
    return value_texts(link) | {note: getattr(link, note) for note in NOTES if getattr(link, note)}


def value_texts(link: NamedLink) -> dict[str, str]:
    """Return the values of `link` as texts with units, by option."""
    return {option: axis.format(link.values[option]) for option, axis in LINK_AXES.items() if option in link.values}


def parse_links(text: str, known: Mapping[str, NamedLink], *, bare: bool = True) -> tuple[NamedLink, ...]:
    """Read a comma list of names of `known` links; `none` is no link."""
    flag = value_parsers.spelled("link", bare)
    names = AXES["link"].parse_values(text, bare=bare)
    if names == (None,):
        return ()
    with value_parsers.naming(flag):
        if None in names:
            raise SpecError(
                f"{value_parsers.NONE!r} stands beside named links", f"give {value_parsers.NONE} alone, or names"
            )
        return tuple(known[known_name(name, known, "link")] for name in names)


def without(link: NamedLink, options: Collection[str]) -> NamedLink:
    """Return `link` without the values of `options`: these are the sweep's."""
    return replace(link, values={option: value for option, value in link.values.items() if option not in options})


def said_by_all(links: Collection[NamedLink]) -> frozenset[str]:
    """Return the options of which every link has a value of its own; none without links."""
    return frozenset.intersection(*(frozenset(link.values) for link in links)) if links else frozenset()


def whole_link(named: NamedLink, current: Link) -> Link:
    """Return the link that `named` stands for; segmentation and layout as `current` unless it has its own."""
    blank = Link(rtt_ns=current.rtt_ns, segmentation=current.segmentation, layout=current.layout, name=named.name)
    return lay_over(blank, named.values)


def _value(name: str, axis: Axis, text: str) -> Any:
    with value_parsers.naming(f"links.{name}"):
        values = axis.parse_values(text, bare=False)
        if len(values) != 1:
            raise SpecError(f"{axis.option} has {len(values)} values", "give one; lists are for the sweep")
        return values[0]


@functools.cache
def _builtin() -> Mapping[str, NamedLink]:
    return {name: link_from(name, table) for name, table in link_tables().items()}
