"""Text with units to integers and back: durations in ns, rates in bit/s, sizes in bytes, percentages in ppm.

The words are those of `tc` (its man page, PARAMETERS), in any case: `1mbit` is 10^6 bit/s, `1mibit` 2^20 bit/s,
and `1mbps` is 10^6 *bytes* a second. One departure: for sizes `tc` reads `KB` as 1024 bytes; here it is 1000,
and `KiB` is 1024.

A parser takes in `bare` the unit that a number without one has; None refuses such numbers. Nothing is ever
rounded: a text that is no whole number of the unit inside is refused. Every failure is a `SpecError`.
"""

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation

from pqbed.errors import SpecError

NS_PER_S, NS_PER_MS, NS_PER_US = 10**9, 10**6, 10**3
LARGEST = 2**63 - 1

_NUMBER_AND_UNIT = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?(?P<unit>[A-Za-z%]*)", re.ASCII)
_LONGEST_TEXT = 64
# Wide enough for the longest text times the largest unit; should it ever not be, it raises instead of rounding.
_EXACT = Context(prec=160, traps=[Inexact, InvalidOperation])

_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}


def _prefixed(base: str, scale: int) -> dict[str, int]:
    """Return `base` with every decimal and binary prefix, in lower case."""
    decimal = {f"{letter}{base}": scale * 1000**power for letter, power in _POWERS.items()}
    binary = {f"{letter}i{base}": scale * 1024**power for letter, power in _POWERS.items()}
    return {base: scale, **decimal, **binary}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    """One kind of value. `shown`: the units it is written in, as they are spelled, in the order of preference."""

    noun: str
    inside: str
    units: dict[str, int]
    shown: tuple[str, ...]
    examples: str


_DURATION = _Quantity(
    noun="a duration",
    inside="nanoseconds",
    units={
        **dict.fromkeys(("s", "sec", "secs"), 10**9),
        **dict.fromkeys(("ms", "msec", "msecs"), 10**6),
        **dict.fromkeys(("us", "usec", "usecs"), 10**3),
        **dict.fromkeys(("ns", "nsec", "nsecs"), 1),
    },
    shown=("s", "ms", "us", "ns"),
    examples="35ms, 17.5ms or 2s",
)
_RATE = _Quantity(
    noun="a rate",
    inside="bits a second",
    units=_prefixed("bit", 1) | _prefixed("bps", 8),
    shown=("tbit", "gbit", "mbit", "kbit", "gibit", "mibit", "kibit", "bit"),
    examples="1mbit, 2.5gbit or none",
)
_SIZE = _Quantity(
    noun="a size",
    inside="bytes",
    units=_prefixed("b", 1),
    shown=("GiB", "MiB", "KiB", "GB", "MB", "KB", "B"),
    examples="200KiB, 2MiB or 200KB",
)
_PERCENTAGE = _Quantity(
    noun="a percentage",
    inside="parts per million",
    units={"%": 10_000, "ppm": 1},
    shown=("%",),
    examples="1%, 0.05% or 20ppm",
)
_NO_LIMIT = ("none", "unlimited")


def parse_duration(text: str, *, bare: str | None = None) -> int:
    """Return nanoseconds."""
    return _parse(text, _DURATION, bare)


def parse_rate(text: str, *, bare: str | None = None) -> int | None:
    """Return bits a second; `none` and `unlimited` give None."""
    if text.strip().lower() in _NO_LIMIT:
        return None
    return _parse(text, _RATE, bare)


def parse_size(text: str, *, bare: str | None = None) -> int:
    """Return bytes."""
    return _parse(text, _SIZE, bare)


def parse_percentage(text: str, *, bare: str | None = None) -> int:
    """Return parts per million; 100% is 1,000,000, and more is possible."""
    return _parse(text, _PERCENTAGE, bare)


def format_duration(duration_ns: int) -> str:
    """Return the shortest exact text in a unit that `duration_ns` reaches: `35ms`, `1.5s`."""
    return _format(duration_ns, _DURATION)


def format_rate(rate_bps: int | None) -> str:
    """Return the shortest exact text in a unit that `rate_bps` reaches: `1mbit`; None is `unlimited`."""
    return "unlimited" if rate_bps is None else _format(rate_bps, _RATE)


def format_size(size_bytes: int) -> str:
    """Return the shortest exact text in a unit that `size_bytes` reaches: `200KiB`."""
    return _format(size_bytes, _SIZE)


def format_percentage(share_ppm: int) -> str:
    """Return the exact percentage: `0.05%`."""
    return _format(share_ppm, _PERCENTAGE)


def _parse(text: str, quantity: _Quantity, bare: str | None) -> int:
    number, unit = _split(text.strip(), quantity)
    scale = _scale(text, number, unit or bare, quantity)
    value = _EXACT.multiply(Decimal(number), Decimal(scale))
    if value > LARGEST:
        raise SpecError(f"{text!r} is too large", f"give {quantity.noun} of at most {_format(LARGEST, quantity)}")
    if value != int(value):
        nearest = _format(round(value), quantity)
        raise SpecError(f"{text!r} is not a whole number of {quantity.inside}", f"the nearest is {nearest}")
    return int(value)


def _split(text: str, quantity: _Quantity) -> tuple[str, str]:
    """Return number and unit, the unit perhaps empty."""
    if not text:
        raise SpecError(f"{quantity.noun} is missing", f"write for example {quantity.examples}")
    if len(text) > _LONGEST_TEXT:
        raise SpecError(f"{text[:20]!r}... is too long for {quantity.noun}", f"use at most {_LONGEST_TEXT} characters")
    match = _NUMBER_AND_UNIT.fullmatch(text.removeprefix("-"))
    if match is None:
        raise SpecError(f"{text!r} is not {quantity.noun}", f"write for example {quantity.examples}")
    if text.startswith("-"):
        raise SpecError(f"{text!r} is negative", f"give {quantity.noun} of 0 or more")
    return match["number"], match["unit"]


def _scale(text: str, number: str, unit: str | None, quantity: _Quantity) -> int:
    if unit is None:
        example = f"{number}{_usual_unit(quantity)}"
        raise SpecError(f"{text!r} has no unit", f"{quantity.noun} needs one here, for example {example}")
    scale = quantity.units.get(unit.lower())
    if scale is None:
        units = ", ".join(quantity.shown)
        raise SpecError(f"{text!r} is not {quantity.noun}: there is no unit {unit!r}", f"use one of {units}")
    return scale


def _usual_unit(quantity: _Quantity) -> str:
    """Return the unit that stands in the first example."""
    return quantity.examples.partition(",")[0].lstrip("0123456789.")


def _format(value: int, quantity: _Quantity) -> str:
    if value < 0:
        raise ValueError(f"{value} {quantity.inside} is negative")
    reached = [unit for unit in quantity.shown if value >= quantity.units[unit.lower()]]
    texts = [_in_unit(value, unit, quantity) for unit in reached or quantity.shown]
    return min(texts, key=lambda text: (len(text), "." in text))


def _in_unit(value: int, unit: str, quantity: _Quantity) -> str:
    # Every scale is a product of twos and fives, so the quotient always ends.
    number = _EXACT.divide(Decimal(value), Decimal(quantity.units[unit.lower()]))
    return f"{_EXACT.normalize(number):f}{unit}"
