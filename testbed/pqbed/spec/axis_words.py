"""Axes in words: one value, the settings of a link, a whole link in a sentence."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pqbed.spec.axes import AXES, axes_shown, one_sided
from pqbed.spec.axis import Axis, Row
from pqbed.spec.link import Link
from pqbed.spec.tcp import Tcp


def word_axis(axis: Axis, value_of: Callable[[Axis], Any]) -> str:
    """Return the value of `axis` in words, with that of one side or direction where it differs: `20 (client 10)`."""
    return _word_values(axis.option, value_of(axis), *map(value_of, one_sided(axis)))


@lru_cache(maxsize=2**14, typed=True)  # a report of a large run words the same few values for each of its cells
def _word_values(option: str, value: Any, *own: Any) -> str:
    axis = AXES[option]
    words = [
        f"({other.side} {other.format(of_side)})"
        for other, of_side in zip(one_sided(axis), own, strict=True)
        if of_side is not None
    ]
    return " ".join([axis.format(value), *words])


def from_row(row: Row) -> Callable[[Axis], Any]:
    """Return what reads the value of an axis in a stored `row`: the usual one if its columns are missing or null."""

    def read(axis: Axis) -> Any:
        value = axis.read(row)
        return axis.usual if value is None else value

    return read


def word_settings(link: Link, tcp: Tcp) -> list[tuple[Axis, str]]:
    """Return every setting of a link and its TCP in words; the name of the link first, if it has one."""
    parts: dict[str, Any] = {"link": link, "tcp": tcp}
    unnamed = {"link"} if link.name is None else set()
    shown = [axis for axis in axes_shown() if axis.part in parts and not axis.of and axis.option not in unnamed]
    return [(axis, word_axis(axis, lambda axis: axis.get(parts[axis.part]))) for axis in shown]


def describe_link(link: Link, tcp: Tcp) -> str:
    """Return a link and its TCP settings in words: those that every link has, and others that are not usual."""
    settings = word_settings(link, tcp)
    return ", ".join(f"{axis.label} {text}" for axis, text in settings if axis.main or text != axis.format(axis.usual))
