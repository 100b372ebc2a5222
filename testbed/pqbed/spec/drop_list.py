"""Drop lists: exactly which packets of a connection are lost, by their number in each direction."""

from dataclasses import dataclass
from typing import Literal

from pqbed.errors import SpecError

Way = Literal["up", "down"]
WAYS: tuple[Way, ...] = ("up", "down")

_NONE = "none"
# A number larger than this is more likely a mistake than a packet of one fetch; a list this long is one of losses.
LARGEST_NUMBER, MOST_DROPS = 10_000, 100
_HINT = "write up:2, down:3-5, or several with plus signs between them: up:1+down:3-5+9"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropList:
    """The packets that are lost, by number and ascending: 1 is the SYN in `up`, the SYN-ACK in `down`.

    Every IPv4 packet that a side sends counts, acknowledgements and repetitions too.
    """

    up: tuple[int, ...] = ()
    down: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.up or self.down)


NO_DROPS = DropList()


def parse_drops(item: str, bare: bool) -> DropList:  # noqa: ARG001 (packets have no unit)
    """Read `up:2`, `down:3-5`, `up:1+down:3-5+9`, or `none`."""
    if item == _NONE:
        return NO_DROPS
    numbers: dict[str, set[int]] = {way: set() for way in WAYS}
    way = ""
    for part in item.split("+"):
        before, colon, span = part.rpartition(":")
        way = before if colon else way
        if way not in numbers:
            raise SpecError(f"{part[:80]!r} has no direction", _HINT)
        numbers[way] |= set(_span(span))
    if sum(map(len, numbers.values())) > MOST_DROPS:
        raise SpecError(f"{item[:80]!r} has more than {MOST_DROPS} packets", "use --loss for many losses")
    return DropList(up=tuple(sorted(numbers["up"])), down=tuple(sorted(numbers["down"])))


def format_drops(drops: DropList) -> str:
    """Return the shortest text that `parse_drops` reads back."""
    ways = ((way, _spans(getattr(drops, way))) for way in WAYS)
    return "+".join(f"{way}:{'+'.join(spans)}" for way, spans in ways if spans) or _NONE


def _span(text: str) -> range:
    """Read `2` or `3-5`."""
    first, _, last = text.partition("-")
    ends = [first, last] if "-" in text else [first, first]
    if not all(end.isascii() and end.isdigit() and len(end) <= 9 for end in ends):
        raise SpecError(f"{text[:80]!r} is not a number of a packet, nor two with a dash", _HINT)
    low, high = map(int, ends)
    if not 1 <= low <= high <= LARGEST_NUMBER:
        raise SpecError(f"{text[:80]!r} is out of range", f"give numbers from 1 to {LARGEST_NUMBER}, the smaller first")
    return range(low, high + 1)


def _spans(numbers: tuple[int, ...]) -> list[str]:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return [str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans]
