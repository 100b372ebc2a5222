"""Definition of an axis: how its values are read, set, stored, read back and labelled; entries that axes share."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Literal

from pqbed.spec import value_parsers
from pqbed.spec.cell import Cell
from pqbed.spec.link import (
    GilbertElliott,
    Link,
    Loss,
    PlainLimit,
    Queue,
    QueueBytes,
    QueueTime,
    RandomLoss,
    down_queue,
    mean_loss_ppm,
    up_queue,
)
from pqbed.spec.sweep import Sweep
from pqbed.spec.trace_files import recall_trace
from pqbed.units import format_percentage

Row = Mapping[str, Any]
Fields = Mapping[str, Any]
Part = Literal["link", "tcp", "workload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One thing that a sweep can vary.

    - `option`: the key in a sweep file and, with dashes, the flag; `field`: its tuple of values on `Sweep`;
    - `parse`: one value as typed (and whether its unit may be left out) to the value; `format`: the way back;
    - `assign`: a value, and the fields of the `part` of a cell that are known already, to the fields it stands for;
      `get`: the value that such a part has;
    - `columns`: how the value is stored, by name and type; `write`: a part to these columns, in order; `read`: a row
      of them, as stored, to the value;
    - `late`: those of the columns that runs did not have at first, and that stand behind all others;
    - `quiet`: not mentioned while it has its usual value, the default of `Sweep`; `needs`: the axis without which it
      has no effect; `main`: always mentioned; `labelled`: tells links apart in tables and figures;
    - `joined_by`: what makes one value of two if the flag is given twice; without it that is refused;
    - `of` and `side`: the axis whose label includes this one, and the word for it there: `20 (client 10)`;
    - `metavar`, `help`: for a list of values; `help_one`: for one value, where the words differ.
    """

    option: str
    field: str
    part: Part
    parse: Callable[[str, bool], Any]
    format: Callable[[Any], str] = str
    assign: Callable[[Any, Fields], dict[str, Any]]
    get: Callable[[Any], Any]
    columns: Mapping[str, type]
    write: Callable[[Any], tuple[Any, ...]]
    read: Callable[[Row], Any]
    late: frozenset[str] = frozenset()
    quiet: bool = False
    needs: str = ""
    main: bool = False
    labelled: bool = True
    joined_by: str = ""
    of: str = ""
    side: str = ""
    metavar: str
    help: str
    help_one: str = ""

    @property
    def flag(self) -> str:
        return value_parsers.spelled(self.option, bare=True)

    @property
    def label(self) -> str:
        return self.option.replace("_", " ")

    @property
    def usual(self) -> Any:
        """Return the value that a sweep has where nothing is said; None where it must say one."""
        field = Sweep.__dataclass_fields__.get(self.field)
        return None if field is None or field.default is MISSING else field.default[0]

    def values(self, sweep: Sweep) -> tuple[Any, ...]:
        """Return the values of this axis in `sweep`, those of named links apart."""
        values: tuple[Any, ...] = getattr(sweep, self.field)
        return values

    def value(self, cell: Cell) -> Any:
        """Return the value of this axis in `cell`."""
        return self.get(getattr(cell, self.part))

    def parse_values(self, text: str, *, bare: bool = True) -> tuple[Any, ...]:
        """Read a comma list, each value once. Raises a SpecError that names the flag, or without `bare` the key."""
        return value_parsers.parse_list(
            value_parsers.spelled(self.option, bare), text, lambda item: self.parse(item, bare)
        )


def plain(field: str, kind: type = int) -> dict[str, Any]:
    """Return the entries of an axis whose value is one field of its part, stored as it is in a column of that name."""
    return {
        "assign": lambda value, _: {field: value},
        "get": lambda part: getattr(part, field),
        "columns": {field: kind},
        "write": lambda part: (getattr(part, field),),
        "read": lambda row: row.get(field),
    }


def one_direction(read: Callable[[str, bool], Any], show: Callable[[Any], str] = str) -> dict[str, Any]:
    """Return the entries of an axis for one direction or side alone: None is `same` as the other."""
    return {
        "parse": value_parsers.same_or(read),
        "format": lambda value: value_parsers.SAME if value is None else show(value),
        "quiet": True,
    }


_LOSS_COLUMNS = {
    "ppm": int,
    "model": str,
    "enter_bad_ppm": int,
    "leave_bad_ppm": int,
    "in_bad_ppm": int,
    "in_good_ppm": int,
}


def loss_model(field: str) -> dict[str, Any]:
    """Return the entries of an axis that is a loss model: its mean, and the chain of a burst model, null for random."""

    def write(link: Link) -> tuple[Any, ...]:
        loss: Loss | None = getattr(link, field)
        if loss is None:
            return (None,) * len(_LOSS_COLUMNS)
        chain: tuple[int | None, ...] = (None,) * 4
        if isinstance(loss, GilbertElliott):
            chain = (loss.enter_bad_ppm, loss.leave_bad_ppm, loss.loss_in_bad_ppm, loss.loss_in_good_ppm)
        return (mean_loss_ppm(loss), loss.kind, *chain)

    def read(row: Row) -> Loss | None:
        mean, model, enter, leave, in_bad, in_good = (row.get(f"{field}_{name}") for name in _LOSS_COLUMNS)
        if model is None:
            return None
        if enter is None or leave is None or in_bad is None or in_good is None:
            return RandomLoss(probability_ppm=mean or 0)
        return GilbertElliott(
            enter_bad_ppm=enter, leave_bad_ppm=leave, loss_in_bad_ppm=in_bad, loss_in_good_ppm=in_good
        )

    columns = {f"{field}_{name}": kind for name, kind in _LOSS_COLUMNS.items()}
    return {**plain(field), "columns": columns, "write": write, "read": read}


def queue_size(direction: str) -> dict[str, Any]:
    """Return the entries of an axis that is the size of a queue: a column for each unit, one of which is not null."""
    names = [f"{unit}{direction}" for unit in ("queue", "limit", "queue_bytes", "queue_ns")]
    kinds: tuple[type[Any], ...] = (int, PlainLimit, QueueBytes, QueueTime)

    def write(link: Link) -> tuple[Any, ...]:
        queue = up_queue(link) if direction else down_queue(link)
        return tuple(_queue_number(queue) if isinstance(queue, kind) else None for kind in kinds)

    def read(row: Row) -> Queue | None:
        packets, limit, size_bytes, length_ns = map(row.get, names)
        if limit is not None:
            return PlainLimit(packets=limit)
        if size_bytes is not None:
            return QueueBytes(size_bytes=size_bytes)
        if length_ns is not None:
            return QueueTime(length_ns=length_ns)
        return packets if direction else packets or 0

    return {"columns": dict.fromkeys(names, int), "late": frozenset(names[2:]), "write": write, "read": read}


def share(field: str) -> dict[str, Any]:
    """Return the entries of an axis that is a share of packets in ppm, 0 where runs did not have it."""
    return {
        **plain(field),
        "parse": value_parsers.parse_share,
        "format": format_percentage,
        "read": lambda row: row.get(field) or 0,
        "quiet": True,
    }


def stored_trace(field: str) -> dict[str, Any]:
    """Return the entries of an axis that is a trace, stored by its name."""
    return {
        **plain(field, str),
        "write": lambda link: (None if getattr(link, field) is None else getattr(link, field).name,),
        "read": lambda row: recall_trace(row.get(field)),
    }


def _queue_number(queue: Queue | None) -> int | None:
    match queue:
        case PlainLimit():
            return queue.packets
        case QueueBytes():
            return queue.size_bytes
        case QueueTime():
            return queue.length_ns
        case _:
            return queue
