"""One function an axis: a comma list as typed to the tuple of values that `Sweep` wants.

`bare` says whether a number may stand without its unit, as on the command line: ms for --rtt and --jitter,
per cent for --loss, Mbit/s for --bandwidth, KiB for --size. Every refusal is a `SpecError` that names the
option and the value.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, cast, get_args

from pqbed.errors import SpecError
from pqbed.spec.link import PPM, Distribution, GilbertElliott, Layout, Loss, PlainLimit, Queue, RandomLoss, Segmentation
from pqbed.spec.names import known_name, plain_name
from pqbed.spec.profile import Profile
from pqbed.spec.stacks import stack_named
from pqbed.spec.workload import MEASURED_HTTP, Http
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
LARGEST_INITCWND = 1_000
SHORTEST_TIMEOUT_NS, LONGEST_TIMEOUT_NS = 10**6, 3600 * 10**9

# One side, or one direction, as the other.
SAME = "same"

_LIMIT_PREFIX = "limit:"
_BURST_PREFIX = "ge:"
_CONTROL = "a congestion control"
_BURST_HINT = "write ge:P/R[/H[/K]] in per cent: enter and leave the bad state, loss in the bad and in the good one"


def parse_rtts(text: str, *, bare: bool = True) -> tuple[int, ...]:
    """Read `35,200` or `35ms,0.2s`. 0 is a link without delay."""

    def one(item: str) -> int:
        rtt_ns = parse_duration(item, bare="ms" if bare else None)
        return _within(rtt_ns, 0, LONGEST_RTT_NS, item, format_duration)

    return _each("rtt", text, one)


def parse_jitters(text: str, *, bare: bool = True) -> tuple[int, ...]:
    """Read `0,5` or `500us`."""

    def one(item: str) -> int:
        jitter_ns = parse_duration(item, bare="ms" if bare else None)
        return _within(jitter_ns, 0, LONGEST_RTT_NS, item, format_duration)

    return _each("jitter", text, one)


def parse_bandwidths(text: str, *, bare: bool = True) -> tuple[int | None, ...]:
    """Read `1,1000`, `1mbit,1gbit` or `none`."""
    return _each("bandwidth", text, lambda item: _rate(item, bare))


def parse_bandwidths_up(text: str, *, bare: bool = True) -> tuple[int | None, ...]:
    """Read the same, or `same`. None is the same as down, 0 no limit."""
    return _each("bandwidth_up", text, lambda item: None if item == SAME else _rate(item, bare) or 0)


def format_bandwidth_up(rate_bps: int | None) -> str:
    """Return what `parse_bandwidths_up` reads back."""
    return SAME if rate_bps is None else format_rate(rate_bps or None)


def parse_sizes(text: str, *, bare: bool = True) -> tuple[int, ...]:
    """Read `0,50,200` or `2MiB`."""

    def one(item: str) -> int:
        size_bytes = parse_size(item, bare="KiB" if bare else None)
        return _within(size_bytes, 0, LARGEST_BODY_BYTES, item, format_size)

    return _each("size", text, one)


def parse_losses(text: str, *, bare: bool = True) -> tuple[Loss, ...]:
    """Read `0,1,3,10`, `0.5%`, and burst loss as `ge:P/R[/H[/K]]` (tc's `gemodel p r 1-h 1-k`)."""
    return _each("loss", text, lambda item: _loss(item, bare))


def parse_losses_up(text: str, *, bare: bool = True) -> tuple[Loss | None, ...]:
    """Read the same, or `same` as down."""
    return _each("loss_up", text, lambda item: None if item == SAME else _loss(item, bare))


def format_loss(loss: Loss) -> str:
    """Return the shortest text that `parse_losses` reads back as `loss`, with units."""
    if isinstance(loss, RandomLoss):
        return format_percentage(loss.probability_ppm)
    shares = [loss.enter_bad_ppm, loss.leave_bad_ppm]
    if (loss.loss_in_bad_ppm, loss.loss_in_good_ppm) != (PPM, 0):
        shares.append(loss.loss_in_bad_ppm)
    if loss.loss_in_good_ppm:
        shares.append(loss.loss_in_good_ppm)
    return _BURST_PREFIX + "/".join(map(format_percentage, shares))


def parse_distributions(text: str) -> tuple[Distribution, ...]:
    """Read `uniform,normal,pareto,paretonormal`."""
    names = get_args(Distribution)
    return _each("distribution", text, lambda item: cast("Distribution", known_name(item, names, "distribution")))


def parse_segmentations(text: str) -> tuple[Segmentation, ...]:
    """Read `wire,offload-off,host`."""
    names = get_args(Segmentation)
    return _each("segmentation", text, lambda item: cast("Segmentation", known_name(item, names, "segmentation")))


def parse_layouts(text: str) -> tuple[Layout, ...]:
    """Read `ends,router`."""
    return _each("layout", text, lambda item: cast("Layout", known_name(item, get_args(Layout), "layout")))


def parse_queues(text: str) -> tuple[Queue, ...]:
    """Read packets that may wait at the bottleneck, or `limit:1000`: netem's limit on queue and wire together."""

    def one(item: str) -> Queue:
        if item.lower().startswith(_LIMIT_PREFIX):
            return PlainLimit(packets=_count(item[len(_LIMIT_PREFIX) :], 1, MOST_QUEUED_PACKETS))
        return _count(item, 1, MOST_QUEUED_PACKETS)

    return _each("queue", text, one)


def format_queue(queue: Queue) -> str:
    """Return the text that `parse_queues` reads back as `queue`."""
    return f"{_LIMIT_PREFIX}{queue.packets}" if isinstance(queue, PlainLimit) else str(queue)


def parse_initcwnds(text: str) -> tuple[int, ...]:
    """Read initial congestion windows in segments."""
    return _each("initcwnd", text, lambda item: _count(item, 1, LARGEST_INITCWND))


def parse_client_initcwnds(text: str) -> tuple[int | None, ...]:
    """Read those of the client, or `same` as the server's."""
    return _each("initcwnd_client", text, lambda item: None if item == SAME else _count(item, 1, LARGEST_INITCWND))


def parse_controls(text: str) -> tuple[str, ...]:
    """Read names of congestion controls, as the kernel knows them: `cubic,bbr`."""
    return _each("congestion_control", text, lambda item: plain_name(item, _CONTROL))


def parse_client_controls(text: str) -> tuple[str | None, ...]:
    """Read those of the client, or `same` as the server's."""
    return _each("congestion_control_client", text, lambda item: None if item == SAME else plain_name(item, _CONTROL))


def parse_profiles(text: str, known: Mapping[str, Profile]) -> tuple[Profile, ...]:
    """Read names of `known` profiles; the first is the baseline."""
    return _each("profile", text, lambda item: known[known_name(item, known, "profile")])


def parse_stacks(text: str) -> tuple[str, ...]:
    """Read names of stacks that serve."""
    return _each("stack", text, lambda item: stack_named(item).name)


def parse_client_stacks(text: str) -> tuple[str | None, ...]:
    """Read those that fetch, or `same` as the server's."""
    return _each("client_stack", text, lambda item: None if item == SAME else stack_named(item).name)


def parse_http(text: str) -> tuple[Http, ...]:
    """Read versions of HTTP: `1.1`. Those that are not measured yet are refused as such."""

    def one(item: str) -> Http:
        version = cast("Http", known_name(item, get_args(Http), "HTTP version"))
        if version not in MEASURED_HTTP:
            raise SpecError(f"HTTP/{version} is not measured yet", f"give {', '.join(MEASURED_HTTP)}, or leave it out")
        return version

    return _each("http", text, one)


def parse_timeout(text: str, *, bare: bool = True) -> int:
    """Read one duration, bare in seconds."""
    with _of("timeout"):
        timeout_ns = parse_duration(text, bare="s" if bare else None)
        return _within(timeout_ns, SHORTEST_TIMEOUT_NS, LONGEST_TIMEOUT_NS, text, format_duration)


def parse_count(option: str, text: str, lowest: int, highest: int) -> int:
    """Read one whole number for `option`."""
    with _of(option):
        return _count(text.strip(), lowest, highest)


def _each(option: str, text: str, one: Callable[[str], T]) -> tuple[T, ...]:
    values: dict[T, None] = {}
    with _of(option):
        for item in _items(text):
            value = one(item)
            if value in values:
                raise SpecError(f"{item!r} repeats a value that is already in the list", "give each value once")
            values[value] = None
    return tuple(values)


def _items(text: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    if items == [""]:
        raise SpecError("there is no value", "give one value, or several with commas between them")
    if "" in items:
        raise SpecError(f"{text[:80]!r} has an empty place in its list", "take out the comma too many")
    return items


@contextmanager
def _of(option: str) -> Iterator[None]:
    """Name `option` in any SpecError raised inside."""
    try:
        yield
    except SpecError as error:
        raise SpecError(f"{option}: {error.message}", error.hint) from error


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


def _rate(item: str, bare: bool) -> int | None:
    rate_bps = parse_rate(item, bare="mbit" if bare else None)
    if rate_bps is None:
        return None
    if rate_bps == 0:
        raise SpecError(f"{item!r} would let nothing through", "write none for a link without a rate limit")
    return _within(rate_bps, LOWEST_RATE_BPS, HIGHEST_RATE_BPS, item, format_rate)


def _loss(item: str, bare: bool) -> Loss:
    if item.lower().startswith(_BURST_PREFIX):
        return _burst_loss(item, bare)
    return RandomLoss(probability_ppm=_probability(item, bare))


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
