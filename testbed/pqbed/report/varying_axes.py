"""What varies in a sweep, and how its links are named: in full where there is room, in short on an axis."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pqbed.spec.axes import AXES, Axis
from pqbed.spec.axis_words import from_row, word_axis

Row = Mapping[str, Any]

SHORT_GAP = " · "
ONE_LINK = "one link"
# Of a link that does not vary, this much is said where its name stands.
MAIN_AXES = ("rtt", "bandwidth", "loss")

# All that links, their TCP and what is fetched over them may vary in, besides its size, by label and in its order.
LINK_AXES: dict[str, Axis] = {axis.label: axis for axis in AXES.values() if axis.labelled and not axis.of}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """`common`: what all cells share, worded; `varying`: the names of the axes that tell their links apart."""

    common: tuple[str, ...]
    varying: tuple[str, ...]
    counts: Mapping[str, int]

    def label(self, row: Row, names: Sequence[str] | None = None) -> str:
        """Return the values of the axes `names` (all that vary): `35ms · 1%`."""
        chosen = self.varying if names is None else names
        return SHORT_GAP.join(_word(name, row) for name in chosen)

    def title(self, row: Row, names: Sequence[str] | None = None) -> str:
        """Return the same with the names of the axes: `rtt 35ms, loss 1%`."""
        chosen = self.varying if names is None else names
        return ", ".join(f"{name} {_word(name, row)}" for name in chosen)

    def inner(self, most: int) -> tuple[str, ...]:
        """Return the axes whose combinations are told apart by colour: as many as `most` allows."""
        chosen: list[str] = []
        for name in sorted(self.varying, key=lambda name: -self.counts[name]):
            if math.prod(self.counts[member] for member in (*chosen, name)) <= most:
                chosen.append(name)
        return tuple(name for name in self.varying if name in chosen)


def split_axes(rows: Sequence[Row]) -> Axes:
    """Look at what varies in `rows`, cells with their conditions."""
    values = {name: list(dict.fromkeys(_word(name, row) for row in rows)) for name in LINK_AXES}
    shown = {name: words for name, words in values.items() if not _is_unsaid(LINK_AXES[name], values)}
    return Axes(
        common=tuple(f"{name} {words[0]}" for name, words in shown.items() if len(words) == 1),
        varying=tuple(
            name for name, words in shown.items() if len(words) > 1 and (name == "link" or _varies_within(name, rows))
        ),
        counts={name: len(words) for name, words in shown.items()},
    )


def _varies_within(name: str, rows: Sequence[Row]) -> bool:
    """Return whether links of one name differ in axis `name`: if not, the name of the link says it."""
    pairs = {(_word("link", row), _word(name, row)) for row in rows}
    return len(pairs) > len({link for link, _ in pairs})


def _word(name: str, row: Row) -> str:
    return word_axis(LINK_AXES[name], from_row(row))


def _is_unsaid(axis: Axis, values: Mapping[str, list[str]]) -> bool:
    """Return whether all rows have the usual value of a quiet axis, or of one that this one needs."""
    asked = AXES[axis.needs] if axis.needs else axis
    return (axis.quiet or bool(axis.needs)) and values[asked.label] == [asked.format(asked.usual)]
