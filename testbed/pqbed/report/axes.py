"""What varies in a sweep, and how its links are named: in full where there is room, in short on an axis."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pqbed.spec.link import DEFAULT_LAYOUT, GilbertElliott, Loss, PlainLimit, Queue, RandomLoss
from pqbed.spec.parse import format_queue
from pqbed.spec.sides import losses, rates, sides
from pqbed.spec.tcp import Tcp
from pqbed.units import format_duration

Row = Mapping[str, Any]

SHORT_GAP = " · "
ONE_LINK = "one link"
CONTROL = "congestion control"
LAYOUT = "layout"
HTTP = "http"
# Of a link that does not vary, this much is said where its name stands.
MAIN_AXES = ("rtt", "bandwidth", "loss")

# All that links, their TCP and what is fetched over them may vary in, besides its size; in the order of a label.
LINK_AXES: dict[str, Callable[[Row], str]] = {
    "rtt": lambda row: format_duration(row["rtt_ns"]),
    "bandwidth": lambda row: rates(row["bandwidth_bps"], row["bandwidth_up_bps"]),
    "loss": lambda row: losses(_loss(row, "loss"), None if row["loss_up_model"] is None else _loss(row, "loss_up")),
    "jitter": lambda row: format_duration(row["jitter_ns"]),
    "distribution": lambda row: str(row["distribution"]),
    "queue": lambda row: format_queue(_queue(row)),
    "segmentation": lambda row: str(row["segmentation"]),
    LAYOUT: lambda row: str(row["layout"]),
    "initcwnd": lambda row: sides(row["initcwnd_server"], row["initcwnd_client"]),
    CONTROL: lambda row: sides(row["congestion_control"], row["congestion_control_client"]),
    HTTP: lambda row: str(row["http"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """`common`: what all cells share, worded; `varying`: the names of the axes that tell their links apart."""

    common: tuple[str, ...]
    varying: tuple[str, ...]
    counts: Mapping[str, int]

    def label(self, row: Row, names: Sequence[str] | None = None) -> str:
        """Return the values of the axes `names` (all that vary): `35ms · 1%`."""
        chosen = self.varying if names is None else names
        return SHORT_GAP.join(LINK_AXES[name](row) for name in chosen)

    def title(self, row: Row, names: Sequence[str] | None = None) -> str:
        """Return the same with the names of the axes: `rtt 35ms, loss 1%`."""
        chosen = self.varying if names is None else names
        return ", ".join(f"{name} {LINK_AXES[name](row)}" for name in chosen)

    def inner(self, most: int) -> tuple[str, ...]:
        """Return the axes whose combinations are told apart by colour: as many as `most` allows."""
        chosen: list[str] = []
        for name in sorted(self.varying, key=lambda name: -self.counts[name]):
            if math.prod(self.counts[member] for member in (*chosen, name)) <= most:
                chosen.append(name)
        return tuple(name for name in self.varying if name in chosen)


def split_axes(rows: Sequence[Row]) -> Axes:
    """Look at what varies in `rows`, cells with their conditions."""
    values = {name: list(dict.fromkeys(show(row) for row in rows)) for name, show in LINK_AXES.items()}
    if all(row["jitter_ns"] == 0 for row in rows):
        del values["jitter"], values["distribution"]
    for name, usual in ((CONTROL, Tcp().congestion_control), (LAYOUT, DEFAULT_LAYOUT), (HTTP, "1.1")):
        if values[name] == [usual]:
            del values[name]
    return Axes(
        common=tuple(f"{name} {shown[0]}" for name, shown in values.items() if len(shown) == 1),
        varying=tuple(name for name, shown in values.items() if len(shown) > 1),
        counts={name: len(shown) for name, shown in values.items()},
    )


def _queue(row: Row) -> Queue:
    return PlainLimit(packets=row["limit"]) if row["limit"] is not None else row["queue"] or 0


def _loss(row: Row, name: str) -> Loss:
    if row[f"{name}_enter_bad_ppm"] is None:
        return RandomLoss(probability_ppm=row[f"{name}_ppm"] or 0)
    return GilbertElliott(
        enter_bad_ppm=row[f"{name}_enter_bad_ppm"],
        leave_bad_ppm=row[f"{name}_leave_bad_ppm"],
        loss_in_bad_ppm=row[f"{name}_in_bad_ppm"],
        loss_in_good_ppm=row[f"{name}_in_good_ppm"],
    )
