"""Cross traffic: bulk TCP flows and constant-rate UDP that share the link with a fetch, and started before it."""

import re
from dataclasses import dataclass
from typing import Literal

from pqbed.errors import SpecError
from pqbed.units import NS_PER_S, format_duration, format_rate, parse_duration, parse_rate

Way = Literal["up", "down"]
WAYS: tuple[Way, ...] = ("down", "up")

_NONE, _UDP, _WARM_UP = "none", "udp", "@"
DEFAULT_CONTROL = "cubic"
DEFAULT_WARM_UP_NS, LONGEST_WARM_UP_NS = 10 * NS_PER_S, 600 * NS_PER_S
MOST_FLOWS = 100
_CONTROL = re.compile(r"[a-z][a-z0-9_]{0,14}")
_HINT = "write down:1, down:4:bbr+up:1, down:udp:200kbit, each with @40s for another warm-up than 10 s, or none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """`count` bulk TCP flows of a congestion control towards one side, or one UDP flow of `rate_bps`."""

    way: Way
    count: int = 1
    congestion_control: str = DEFAULT_CONTROL
    rate_bps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossTraffic:
    """Flows that start `warm_up_ns` before each fetch, and end with it."""

    flows: tuple[Flows, ...]
    warm_up_ns: int = DEFAULT_WARM_UP_NS

    def towards(self, way: Way) -> tuple[Flows, ...]:
        """Return the flows of one direction."""
        return tuple(flows for flows in self.flows if flows.way == way)


def parse_cross_traffic(item: str, bare: bool) -> CrossTraffic | None:  # noqa: ARG001 (all have units)
    """Read `down:1`, `down:4:bbr+up:1`, `down:udp:200kbit`, `down:1@40s`, or `none`."""
    if item == _NONE:
        return None
    flows, at, warm_up = item.partition(_WARM_UP)
    warm_up_ns = parse_duration(warm_up, bare=None) if at else DEFAULT_WARM_UP_NS
    if warm_up_ns > LONGEST_WARM_UP_NS:
        raise SpecError(f"{item[:80]!r} warms up for too long", f"give at most {format_duration(LONGEST_WARM_UP_NS)}")
    return CrossTraffic(flows=tuple(map(_parse_flows, flows.split("+"))), warm_up_ns=warm_up_ns)


def format_cross_traffic(traffic: CrossTraffic | None) -> str:
    """Return the shortest text that `parse_cross_traffic` reads back."""
    if traffic is None:
        return _NONE
    warm_up = "" if traffic.warm_up_ns == DEFAULT_WARM_UP_NS else f"{_WARM_UP}{format_duration(traffic.warm_up_ns)}"
    return "+".join(map(_format_flows, traffic.flows)) + warm_up


def _parse_flows(text: str) -> Flows:
    way, *rest = text.split(":")
    if way not in WAYS or not 1 <= len(rest) <= 2:
        raise SpecError(f"{text[:80]!r} is no cross traffic", _HINT)
    known: Way = "up" if way == "up" else "down"
    if rest[0] == _UDP:
        rate_bps = parse_rate(rest[1], bare=None) if len(rest) == 2 else None
        if not rate_bps:
            raise SpecError(f"{text[:80]!r} has no rate", _HINT)
        return Flows(way=known, congestion_control="", rate_bps=rate_bps)
    number, control = rest[0], rest[1] if len(rest) == 2 else DEFAULT_CONTROL
    if not (number.isascii() and number.isdigit() and len(number) <= 9 and 1 <= int(number) <= MOST_FLOWS):
        raise SpecError(f"{text[:80]!r} has no number of flows", f"give 1 to {MOST_FLOWS}: {_HINT}")
    if not _CONTROL.fullmatch(control):
        raise SpecError(f"{control[:80]!r} is not the name of a congestion control", _HINT)
    return Flows(way=known, count=int(number), congestion_control=control)


def _format_flows(flows: Flows) -> str:
    if flows.rate_bps is not None:
        return f"{flows.way}:{_UDP}:{format_rate(flows.rate_bps)}"
    control = "" if flows.congestion_control == DEFAULT_CONTROL else f":{flows.congestion_control}"
    return f"{flows.way}:{flows.count}{control}"
