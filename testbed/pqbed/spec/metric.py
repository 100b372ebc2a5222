"""Metrics of a connection that profiles are compared by: TTLB, and what can be asked for instead."""

from dataclasses import dataclass
from typing import Literal

from pqbed.spec.name_suggestions import known_name
from pqbed.units import NS_PER_MS

Unit = Literal["ms", "bytes", "segments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric. `quantity` names its values in a grid and in thresholds; `title` names it, `noun` in a sentence.

    `subject` and `verb` begin a sentence about a profile, and `more` and `less` word its increase: a fetch with pq took
    5% longer. `until` ends "pq takes 1.2 times as long as classical": to the first byte.
    """

    name: str
    quantity: str
    unit: Unit
    title: str
    noun: str
    subject: str = "a fetch"
    verb: str = "took"
    more: str = "longer"
    less: str = "shorter"
    until: str = ""

    @property
    def prefix(self) -> str:
        """Return how its columns of a summary begin."""
        return "" if self is TTLB else f"{self.quantity}_"

    @property
    def scale(self) -> int:
        """Return how many of what is stored make one of its unit."""
        return NS_PER_MS if self.unit == "ms" else 1

    @property
    def suffix(self) -> str:
        """Return the unit at the end of a column of its values as they are stored."""
        return "ns" if self.unit == "ms" else self.unit

    @property
    def heading(self) -> str:
        """Return the title with its unit, as over a table: `TTLB in ms`."""
        return self.title if self.unit == "bytes" else f"{self.title} in {self.unit}"

    def value(self, percentile: str, bound: str = "") -> str:
        """Return the column of a summary with a percentile (`p50`), or with a `bound` of its interval (`_low`)."""
        return f"{self.prefix}{percentile}{bound}_{self.suffix}"

    def increase(self, percentile: str, bound: str = "") -> str:
        return f"{self.prefix}increase_{percentile}{bound}_pct"

    def noise(self, percentile: str) -> str:
        return f"{self.prefix}noise_{percentile}_pct"

    def finding(self, percentile: str) -> str:
        return f"{self.prefix}finding_{percentile}"


TTLB = Metric(name="ttlb", quantity="ttlb", unit="ms", title="TTLB", noun="TTLB")
TLS = Metric(
    name="tls",
    quantity="handshake",
    unit="ms",
    title="End of the TLS handshake",
    noun="the time to the end of the TLS handshake",
    subject="the handshake of TCP and TLS",
    until=" to the end of the TLS handshake",
)
FIRST_BYTE = Metric(
    name="first_byte",
    quantity="first_byte",
    unit="ms",
    title="First byte",
    noun="the time to the first byte",
    subject="the time to the first byte",
    verb="was",
    until=" to the first byte",
)
CONNECT = Metric(
    name="connect",
    quantity="connect",
    unit="ms",
    title="TCP connect",
    noun="the time of TCP connect",
    subject="a TCP connect",
    until=" to connect",
)
BYTES = Metric(
    name="bytes",
    quantity="bytes",
    unit="bytes",
    title="Bytes of the handshake on the wire",
    noun="the bytes of the handshake",
    subject="a handshake",
    more="more bytes",
    less="fewer bytes",
)
RETRANSMITS = Metric(
    name="retransmits",
    quantity="retransmits",
    unit="segments",
    title="Retransmits of the client",
    noun="the retransmits of the client",
    verb="had",
    more="more retransmits",
    less="fewer retransmits",
)
METRICS = {metric.name: metric for metric in (TTLB, TLS, FIRST_BYTE, CONNECT, BYTES, RETRANSMITS)}
# Of which samples are taken until their increase is known well enough: the others are not known better by more of them.
TIMES = tuple(name for name, metric in METRICS.items() if metric.unit == "ms")
# As a threshold names what a metric is named after.
QUANTITIES = {metric.name: metric.quantity for metric in METRICS.values()}


def metric_named(name: str) -> Metric:
    """Return the metric that is typed as `name`. Raises SpecError."""
    return METRICS[known_name(name, METRICS, "metric")]
