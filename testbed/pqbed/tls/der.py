"""Distinguished Encoding Rules (X.690): just enough to walk an X.509 certificate."""

from collections.abc import Iterator
from dataclasses import dataclass

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_LONG_FORM = 0x80


@dataclass(frozen=True, slots=True)
class Value:
    """A value: its tag with its class, and its content."""

    tag: int
    content: bytes


def walk(data: bytes) -> Iterator[Value]:
    """Yield the values that follow one another in `data`. Raises ValueError where it is no DER."""
    start = 0
    while start < len(data):
        tag, (length, body) = data[start], _length(data, start + 1)
        if body + length > len(data):
            raise ValueError("a value is longer than what holds it")
        yield Value(tag, data[body : body + length])
        start = body + length


def read_oid(content: bytes) -> str:
    """Return an object identifier in dotted form."""
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if byte < _LONG_FORM:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)  # X.690 8.19.4: the first two arcs are one number
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _length(data: bytes, start: int) -> tuple[int, int]:
    """Return a length and where what it counts begins."""
    if start >= len(data):
        raise ValueError("a value ends before its length")
    first = data[start]
    if first < _LONG_FORM:
        return first, start + 1
    end = start + 1 + (first - _LONG_FORM)
    return int.from_bytes(data[start + 1 : end]), end
