"""Readers and writers of the values that users type: one value each, and comma lists of them.

`bare` says whether a number may stand without its unit, as on the command line: ms for --rtt and --jitter, per cent for
--loss, Mbit/s for --bandwidth, KiB for --size. Every refusal is a `SpecError` that names the option and the value.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pqbed.errors import SpecError
from pqbed.spec.link import PPM, GilbertElliott, Loss, PlainLimit, Queue, QueueBytes, QueueTime, RandomLoss
from pqbed.spec.name_suggestions import known_name, plain_name
from pqbed.spec.profile import Profile
from pqbed.spec.stacks import stack_named
from pqbed.spec.workload import HTTP_VERSIONS, Http
from pqbed.units import (
    format_duration,
    format_percentage,
    format_rate,
    format_size,
    parse_duration,
    parse_percentage,
    parse_rate,
    parse_size,
)

T = TypeVar("T")

LONGEST_RTT_NS = 60 * 10**9
LOWEST_RATE_BPS, HIGHEST_RATE_BPS = 1_000, 100 * 10**9
LARGEST_BODY_BYTES = 2**30
MOST_QUEUED_PACKETS = 1_000_000
LONGEST_QUEUE_NS, LARGEST_QUEUE_BYTES = 60 * 10**9, 2**30
LARGEST_INITCWND = 1_000
SHORTEST_TIMEOUT_NS, LONGEST_TIMEOUT_NS = 10**6, 3600 * 10**9

# One side, or one direction, as the other.
SAME = "same"
# No named link.
NONE = "none"

SWITCH = ("off", "on")
_LIMIT_PREFIX = "limit:"
_BURST_PREFIX = "ge:"
_BURST_HINT = "write ge:P/R[/H[/K]] in per cent: enter and leave the bad state, loss in the bad and in the good one"


def parse_rtt(item: str, bare: bool) -> int:
    """Read `35` (ms), `35ms` or `0.2s`. 0 is a link without delay."""
    rtt_ns = parse_duration(item, bare="ms" if bare else None)
    return _within(rtt_ns, 0, LONGEST_RTT_NS, item, format_duration)


def parse_bandwidth(item: str, bare: bool) -> int | None:
    """Read `1` (Mbit/s), `1gbit` or `none`."""
    rate_bps = parse_rate(item, bare="mbit" if bare else None)
    if rate_bps is None:
        return None
    if rate_bps == 0:
        raise SpecError(f"{item!r} would let nothing through", "write none for a link without a rate limit")
    return _within(rate_bps, LOWEST_RATE_BPS, HIGHEST_RATE_BPS, item, format_rate)


def parse_bandwidth_up(item: str, bare: bool) -> int:
    """Read the same as `parse_bandwidth`; 0 is no limit."""
    return parse_bandwidth(item, bare) or 0


def format_bandwidth_up(rate_bps: int) -> str:
    """Return the text that `parse_bandwidth_up` reads back."""
    return format_rate(rate_bps or None)


def parse_body_size(item: str, bare: bool) -> int:
    """Read `50` (KiB) or `2MiB`."""
    size_bytes = parse_size(item, bare="KiB" if bare else None)
    return _within(size_bytes, 0, LARGEST_BODY_BYTES, item, format_size)


def parse_loss(item: str, bare: bool) -> Loss:
    """Read `1` (per cent), `0.5%`, and burst loss as `ge:P/R[/H[/K]]` (tc's `gemodel p r 1-h 1-k`)."""
    if item.lower().startswith(_BURST_PREFIX):
        return _burst_loss(item, bare)
    return RandomLoss(probability_ppm=_probability(item, bare))


def format_loss(loss: Loss) -> str:
    """Return the shortest text that `parse_loss` reads back as `loss`, with units."""
    if isinstance(loss, RandomLoss):
        return format_percentage(loss.probability_ppm)
    shares = [loss.enter_bad_ppm, loss.leave_bad_ppm]
    if (loss.loss_in_bad_ppm, loss.loss_in_good_ppm) != (PPM, 0):
        shares.append(loss.loss_in_bad_ppm)
    if loss.loss_in_good_ppm:
        shares.append(loss.loss_in_good_ppm)
    return _BURST_PREFIX + "/".join(map(format_percentage, shares))


def parse_queue(item: str, bare: bool) -> Queue:  # noqa: ARG001 (packets have no unit)
    """Read what may wait at the bottleneck: packets, `50ms`, `64KiB`; or `limit:1000`: netem's own, with the wire."""
    if item.lower().startswith(_LIMIT_PREFIX):
        return PlainLimit(packets=_count(item[len(_LIMIT_PREFIX) :], 1, MOST_QUEUED_PACKETS))
    if item.isdigit():
        return _count(item, 1, MOST_QUEUED_PACKETS)
    if item.endswith("s"):
        return QueueTime(length_ns=_within(parse_duration(item, bare=None), 1, LONGEST_QUEUE_NS, item, format_duration))
    if item.upper().endswith("B"):
        return QueueBytes(size_bytes=_within(parse_size(item, bare=None), 1, LARGEST_QUEUE_BYTES, item, format_size))
    return _count(item, 1, MOST_QUEUED_PACKETS)


def format_queue(queue: Queue) -> str:
    """Return the text that `parse_queue` reads back as `queue`."""
    match queue:
        case PlainLimit():
            return f"{_LIMIT_PREFIX}{queue.packets}"
        case QueueTime():
            return format_duration(queue.length_ns)
        case QueueBytes():
            return format_size(queue.size_bytes)
        case _:
            return str(queue)


def parse_share(item: str, bare: bool) -> int:
    """Read `1` (per cent) or `0.5%`."""
    return _probability(item, bare)


def parse_switch(item: str, bare: bool) -> bool:  # noqa: ARG001 (no unit)
    """Read `on` or `off`."""
    if item not in SWITCH:
        raise SpecError(f"{item[:80]!r} is neither on nor off", "write on or off")
    return item == SWITCH[True]


def format_switch(on: bool) -> str:
    """Return the text that `parse_switch` reads back."""
    return SWITCH[on]


def parse_link_name(item: str, bare: bool) -> str | None:  # noqa: ARG001 (a name)
    """Read the name of a link; `none` is no named link."""
    return None if item == NONE else plain_name(item, "the name of a link")


def format_link_name(name: str | None) -> str:
    """Return the text that `parse_link_name` reads back."""
    return NONE if name is None else name


def parse_congestion_control(item: str, bare: bool) -> str:  # noqa: ARG001 (a name)
    """Read the name of a congestion control, as the kernel knows it: `cubic`."""
    return plain_name(item, "a congestion control")


def parse_http(item: str, bare: bool) -> Http:  # noqa: ARG001 (a version)
    """Read a version of HTTP: `1.1`, `2` or `3`."""
    return HTTP_VERSIONS[HTTP_VERSIONS.index(known_name(item, HTTP_VERSIONS, "HTTP version"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Reads one of `names`."""

    noun: str
    names: tuple[str, ...]

    def __call__(self, text: str, bare: bool) -> Any:  # noqa: ARG002 (a name)
        return known_name(text, self.names, self.noun)


def choice(noun: str, literal: Any) -> Choice:
    """Return a reader of one of the names of `literal`."""
    return Choice(noun=noun, names=get_args(literal))


def count(lowest: int, highest: int) -> Callable[[str, bool], int]:
    """Return a reader of whole numbers within these bounds."""
    return lambda item, _bare: _count(item, lowest, highest)


def same_or(read: Callable[[str, bool], T]) -> Callable[[str, bool], T | None]:
    """Return a reader that also takes `same`, as None: like the other direction, or the other side."""
    return lambda item, bare: None if item == SAME else read(item, bare)


def parse_list(name: str, text: str, read: Callable[[str], T]) -> tuple[T, ...]:
    """Read a comma list, each value once. Raises a SpecError that begins with `name`."""
    values: dict[T, None] = {}
    with naming(name):
        for item in _items(text):
            value = read(item)
            if value in values:
                raise SpecError(f"{item!r} repeats a value that is already in the list", "give each value once")
            values[value] = None
    return tuple(values)


def parse_profiles(text: str, known: Mapping[str, Profile], *, bare: bool = True) -> tuple[Profile, ...]:
    """Read names of `known` profiles; the first is the baseline."""
    return parse_list(spelled("profile", bare), text, lambda item: known[known_name(item, known, "profile")])


def parse_stacks(text: str, *, bare: bool = True) -> tuple[str, ...]:
    """Read names of stacks that serve."""
    return parse_list(spelled("stack", bare), text, lambda item: stack_named(item).name)


def parse_client_stacks(text: str, *, bare: bool = True) -> tuple[str | None, ...]:
    """Read those that fetch, or `same` as the server's."""
    read = same_or(lambda item, _bare: stack_named(item).name)
    return parse_list(spelled("client_stack", bare), text, lambda item: read(item, bare))


def parse_timeout(text: str, *, bare: bool = True) -> int:
    """Read one duration, bare in seconds."""
    with naming(spelled("timeout", bare)):
        timeout_ns = parse_duration(text, bare="s" if bare else None)
        return _within(timeout_ns, SHORTEST_TIMEOUT_NS, LONGEST_TIMEOUT_NS, text, format_duration)


def parse_count(option: str, text: str, lowest: int, highest: int, *, bare: bool = True) -> int:
    """Read one whole number for `option`."""
    with naming(spelled(option, bare)):
        return _count(text.strip(), lowest, highest)


def _items(text: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    if items == [""]:
        raise SpecError("there is no value", "give one value, or several with commas between them")
    if "" in items:
        raise SpecError(f"{text[:80]!r} has an empty place in its list", "take out the comma too many")
    return items


def spelled(option: str, bare: bool) -> str:
    """Return `option` as the user wrote it: a flag if units may be left out (the command line), else a key."""
    return "--" + option.replace("_", "-") if bare else option


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Name what was read in any SpecError raised inside."""
    try:
        yield
    except SpecError as error:
        raise SpecError(f"{name}: {error.message}", error.hint) from error


def _within(value: int, lowest: int, highest: int, item: str, show: Callable[[int], str]) -> int:
    if not lowest <= value <= highest:
        raise SpecError(f"{item!r} is out of range", f"give a value from {show(lowest)} to {show(highest)}")
    return value


def _count(item: str, lowest: int, highest: int) -> int:
    if not (item.isascii() and item.isdigit() and len(item) <= 20):
        raise SpecError(f"{item[:80]!r} is not a whole number", f"give a number from {lowest} to {highest}")
    return _within(int(item), lowest, highest, item, str)


def _probability(item: str, bare: bool) -> int:
    share_ppm = parse_percentage(item, bare="%" if bare else None)
    return _within(share_ppm, 0, PPM, item, format_percentage)


def _burst_loss(item: str, bare: bool) -> GilbertElliott:
    parts = item[len(_BURST_PREFIX) :].split("/")
    if not 2 <= len(parts) <= 4:
        raise SpecError(f"{item!r} is not a burst loss", _BURST_HINT)
    shares = [_probability(part, bare) for part in parts]
    if 0 in shares[:2]:
        raise SpecError(f"{item!r} never changes its state", f"P and R must be above 0: {_BURST_HINT}")
    in_bad, in_good = [*shares[2:], *(PPM, 0)[len(shares) - 2 :]]
    return GilbertElliott(
        enter_bad_ppm=shares[0], leave_bad_ppm=shares[1], loss_in_bad_ppm=in_bad, loss_in_good_ppm=in_good
    )
