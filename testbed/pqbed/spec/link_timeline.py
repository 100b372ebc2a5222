"""Links that change while a fetch runs: traces of rate, delay and loss, and outages.

A trace is repeated from its end, from an offset that is drawn from the seed of the fetch, so all arms of a block meet
the same part of it. An outage counts from the start of the fetch.
"""

import hashlib
from dataclasses import dataclass, replace

from pqbed.errors import SpecError
from pqbed.units import format_duration, parse_duration

_NONE = "none"
_OUTAGE_HINT = "write 1s:3s (from 1 s on for 3 s), 1s:3s:15s (again every 15 s), or none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One part of a trace, from `at_ns` on. None: as the link has it without the trace."""

    at_ns: int
    rate_bps: int | None = None
    delay_ns: int | None = None
    loss_ppm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTrace:
    """One direction of a link over time. The first step is at 0; `name` is that of its file."""

    name: str
    steps: tuple[TraceStep, ...]
    period_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """All packets of both directions are lost from `at_ns` on for `for_ns`, and again every `every_ns` (0: once)."""

    at_ns: int
    for_ns: int
    every_ns: int = 0

    def holds(self, elapsed_ns: int) -> bool:
        """Return whether it does so long after the start of a fetch."""
        return elapsed_ns >= self.at_ns and self._since(elapsed_ns) < self.for_ns

    def next_change_ns(self, elapsed_ns: int) -> int | None:
        """Return when it next begins or ends, as a time after the start; None if never."""
        if elapsed_ns < self.at_ns:
            return self.at_ns
        since_ns = self._since(elapsed_ns)
        if since_ns < self.for_ns:
            return elapsed_ns - since_ns + self.for_ns
        return elapsed_ns - since_ns + self.every_ns if self.every_ns else None

    def _since(self, elapsed_ns: int) -> int:
        since_ns = elapsed_ns - self.at_ns
        return since_ns % self.every_ns if self.every_ns else since_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What changes at one interface during a fetch: a trace from its offset on, an outage, or both."""

    trace: LinkTrace | None = None
    offset_ns: int = 0
    outage: Outage | None = None

    def step(self, elapsed_ns: int) -> TraceStep:
        """Return the step of the trace so long after the start of the fetch; one that says nothing without a trace."""
        if self.trace is None:
            return TraceStep(at_ns=0)
        at_ns = (self.offset_ns + elapsed_ns) % self.trace.period_ns
        return next(step for step in reversed(self.trace.steps) if step.at_ns <= at_ns)

    def is_out(self, elapsed_ns: int) -> bool:
        """Return whether all packets are lost then."""
        return self.outage is not None and self.outage.holds(elapsed_ns)

    def next_change_ns(self, elapsed_ns: int) -> int | None:
        """Return when the next change comes, as a time after the start of the fetch; None if none does."""
        changes = [self._next_step_ns(elapsed_ns)]
        if self.outage is not None:
            changes.append(self.outage.next_change_ns(elapsed_ns))
        return min((change for change in changes if change is not None), default=None)

    def _next_step_ns(self, elapsed_ns: int) -> int | None:
        if self.trace is None or len(self.trace.steps) == 1:
            return None
        at_ns = (self.offset_ns + elapsed_ns) % self.trace.period_ns
        later = (step.at_ns for step in self.trace.steps if step.at_ns > at_ns)
        return elapsed_ns - at_ns + next(later, self.trace.period_ns)


def draw_offset(seed: int, trace: LinkTrace) -> int:
    """Return the offset of a fetch into `trace`, ns: any whole millisecond is as likely."""
    digest = hashlib.blake2b(f"{seed}/trace".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % max(1, trace.period_ns // 1_000_000) * 1_000_000


def rates_alone(trace: LinkTrace) -> LinkTrace:
    """Return `trace` without delays and losses."""
    return replace(trace, steps=tuple(replace(step, delay_ns=None, loss_ppm=None) for step in trace.steps))


def parse_outage(item: str, bare: bool) -> Outage | None:
    """Read `1s:3s` or `1s:3s:15s`: at, for, every; or `none`."""
    if item == _NONE:
        return None
    times = item.split(":")
    if not 2 <= len(times) <= 3:
        raise SpecError(f"{item[:80]!r} is not an outage", _OUTAGE_HINT)
    at_ns, for_ns, *every = (parse_duration(time, bare="s" if bare else None) for time in times)
    every_ns = every[0] if every else 0
    if not for_ns or (every and every_ns <= for_ns):
        raise SpecError(f"{item[:80]!r} never begins, or never ends", _OUTAGE_HINT)
    return Outage(at_ns=at_ns, for_ns=for_ns, every_ns=every_ns)


def format_outage(outage: Outage | None) -> str:
    """Return the text that `parse_outage` reads back."""
    if outage is None:
        return _NONE
    times = (outage.at_ns, outage.for_ns, *([outage.every_ns] if outage.every_ns else []))
    return ":".join(map(format_duration, times))
