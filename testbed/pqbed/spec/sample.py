"""A planned fetch, and the sample that comes of it."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal[
    "ok",
    "timeout",
    "refused",
    "reset",
    "tls_error",
    "wrong_group",
    "wrong_connection",
    "short_body",
    "server_down",
    "unsupported",
    "link_mismatch",
    "lost",
]


# What a profile cannot do on a pair of stacks is a finding, and what the host took away says nothing about either.
NO_FAILURES: tuple[Outcome, ...] = ("ok", "unsupported", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One fetch of the plan. (`cell_id`, `repetition`) names it; `seed` is 64 bits, well mixed."""

    cell_id: str
    block: int
    repetition: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """What the client saw of one fetch. Times in ns from the start of the connection; None: not reached.

    `last_byte_ns` is the TTLB. TCP_INFO's `tcp_rtt_ns` is the smoothed RTT at close, `cwnd` is in
    segments. All of the client's socket, so `retransmits` and `lost` are those of the client. With another transport
    than TCP there is no `tcp_connect_ns`, and none of these.
    `queue_drops` counts packets for which the bottlenecks of both directions had no room (layout `router` alone),
    `ecn_marks` those that they marked instead, where the ends ask for ECN.
    `provider` and `client_provider`: which provider of its library served the group on either side;
    `signature_provider` and `client_signature_provider`: which one signed CertificateVerify on the server and verified
    it on the client. None if the library does not report it.
    `hello_retry`: whether the server asked for another ClientHello (HelloRetryRequest), and `hello_retry_ns` when that
    was there. None where it could not: one group was offered, with its key share.
    The `quic_*` are fetch.quic_log.QuicInfo: None over TCP, and of a client that keeps no log.
    """

    outcome: Outcome
    detail: str = ""
    tcp_connect_ns: int | None = None
    tls_done_ns: int | None = None
    first_byte_ns: int | None = None
    last_byte_ns: int | None = None
    body_bytes: int | None = None
    http_status: int | None = None
    group: str | None = None
    signature: str | None = None
    retransmits: int | None = None
    lost: int | None = None
    tcp_rtt_ns: int | None = None
    cwnd: int | None = None
    queue_drops: int | None = None
    provider: str | None = None
    client_provider: str | None = None
    signature_provider: str | None = None
    client_signature_provider: str | None = None
    ecn_marks: int | None = None
    hello_retry: bool | None = None
    hello_retry_ns: int | None = None
    quic_initials: int | None = None
    quic_unvalidated_bytes: int | None = None
    quic_blocked_ns: int | None = None
    quic_lost: int | None = None
    quic_rtt_ns: int | None = None
    quic_cwnd_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row of the samples table (schema pqbed.samples/1): a fetch, where it ran, what it gave.

    The last four say what else wanted the host's CPUs meanwhile, in parts per million (store.manifest.Pressure), and
    whether that was so much that it may have slowed the fetch. None: not known, or virtual time, where none of it can.
    """

    fetch: Fetch
    timings: Timings
    lane: int
    bed: str
    clock: str
    kernel: str
    host: str
    cpu_pressure_ppm: int | None = None
    cpu_steal_ppm: int | None = None
    cpu_throttled_ppm: int | None = None
    pressed: bool | None = None
