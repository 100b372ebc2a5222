"""The smallest handshake and time to last byte that physics allows in a cell. No sample may lie below it.

For HTTP over TLS 1.3, whatever its version. TTLB >= 2 RTT for TCP and TLS + 1 RTT for request and response + wire bytes
/ bandwidth + slow start, and 1 RTT more with a HelloRetryRequest, where

- n bytes of payload are W(n) = n + 66 * ceil(n / MSS) on the wire: 14 Ethernet, 20 IPv4, 32 TCP with time stamps;
- in slow start each acknowledged segment lets two more go, so n segments need the smallest k rounds with
  w * (2^k - 1) >= n from a window of w, or of one more where a tail loss probe goes beyond it. A round waits for
  the first acknowledgement of the one before, or for the bottleneck to be done with it, whichever is later: waiting
  and sending overlap, they do not add up.

QUIC joins the first two round trips (RFC 9000, 7). Its windows are the server's own, so nothing is assumed of them; its
datagrams carry no less besides payload than segments do.

Left out, as they only make a connection slower: acknowledgements on the wire, delayed ones, queues, loss, CPU, and that
a super-packet (segmentation `host`, `offload-off`) arrives whole: netem counts its headers as if it were cut.
"""

from pqbed.model.frames import (
    DEFAULT_MSS,
    FRAME_OVERHEAD_BYTES,
    SYN_WIRE_BYTES,
    frame_ns,
    segment_bytes,
    segment_count,
    transmit_ns,
)
from pqbed.model.message_sizes import RECORD_CONTENT_BYTES
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import JITTER_REACH
from pqbed.spec.link_sides import SIDES, Side, congestion_control_of, delay_of, distribution_of, jitter_of, rate_of

# These open the window by no more than what was acknowledged (tcp_slow_start in net/ipv4/tcp_cong.c, and bbr_set_cwnd);
# another may do better, as hybla does, so of its windows nothing is assumed.
DOUBLING_CONTROLS = frozenset({"bbr", "cubic", "reno"})
_BOUNDLESS = 1 << 40


def most_segments(flight_bytes: int, mss: int = DEFAULT_MSS) -> int:
    """Return the most segments of a server's flight: OpenSSL's writes end in short ones (`exchange`)."""
    return segment_count(flight_bytes, mss) + 2 + flight_bytes // RECORD_CONTENT_BYTES


def slow_start_rounds(segments: int, window: int) -> int:
    """Return the smallest k with `window` * (2^k - 1) >= `segments`; at least 1."""
    rounds = 1
    while window * ((1 << rounds) - 1) < segments:
        rounds += 1
    return rounds


def rtt_floor_ns(link: Link) -> int:
    """Return the shortest round trip jitter can make: netem cuts named distributions at 4 sigma."""
    return sum(_shortest_delay_ns(link, side) for side in SIDES)


def _shortest_delay_ns(link: Link, side: Side) -> int:
    reach = 1 if distribution_of(link, side) == "uniform" else JITTER_REACH
    return max(0, delay_of(link, side) - reach * jitter_of(link, side))


def flight_ns(cell: Cell, payload_bytes: int, window: int) -> int:
    """Return from first to last bit of one flight of the server, sent from a `window` in segments."""
    over_quic = cell.workload.transport == "quic"
    if over_quic or congestion_control_of(cell.tcp, "server") not in DOUBLING_CONTROLS:
        window = _BOUNDLESS
    mss = segment_bytes(cell.tcp.mtu)
    rate, rtt_ns = cell.link.bandwidth_bps, rtt_floor_ns(cell.link)
    segment_ns = frame_ns(mss + FRAME_OVERHEAD_BYTES, rate)
    # Two round trips after a segment a probe sends one more than the window allows (RFC 8985, 7.3): before the answer,
    # where the segment alone takes longer than a round trip.
    window += segment_ns > rtt_ns
    start_ns = sent = 0
    for number in range(slow_start_rounds(segment_count(payload_bytes, mss), window) - 1):
        burst = window << number
        sent += burst
        start_ns += max(rtt_ns + segment_ns, burst * segment_ns)
    return start_ns + transmit_ns(payload_bytes - sent * mss, rate, mss)


def connect_floor_ns(cell: Cell) -> int:
    """Return the least time until the client may send data; 0 over QUIC, and with data in the SYN."""
    if cell.workload.transport == "quic" or cell.tcp.fast_open:
        return 0
    up, down = rate_of(cell.link, "client"), rate_of(cell.link, "server")
    return rtt_floor_ns(cell.link) + frame_ns(SYN_WIRE_BYTES, up) + frame_ns(SYN_WIRE_BYTES, down)


def handshake_floor_ns(cell: Cell, server_flight_bytes: int, client_hello_bytes: int, retry_bytes: int = 0) -> int:
    """Return the least time to the client's Finished: TCP and TLS 1.3 take one RTT each, a HelloRetryRequest another.

    `server_flight_bytes` is ServerHello to Finished, `client_hello_bytes` each ClientHello, as TLS records, and
    `retry_bytes` the HelloRetryRequest; 0 without one.
    """
    hello_ns = transmit_ns(client_hello_bytes, rate_of(cell.link, "client"), segment_bytes(cell.tcp.mtu))
    flight = flight_ns(cell, server_flight_bytes, _first_window(cell, retry_bytes))
    retry_ns = rtt_floor_ns(cell.link) + flight_ns(cell, retry_bytes, cell.tcp.initcwnd_server) if retry_bytes else 0
    return connect_floor_ns(cell) + rtt_floor_ns(cell.link) + hello_ns + flight + retry_ns


def ttlb_floor_ns(
    cell: Cell,
    server_flight_bytes: int,
    client_bytes: int,
    response_bytes: int,
    retry_bytes: int = 0,
    *,
    early_bytes: int = 0,
) -> int:
    """Return the least time to the last byte, from the start of a connection or, if it is reused, of the request.

    `client_bytes` is all the client sends (each ClientHello, its last flight, the request), `response_bytes` the
    response with its header, `retry_bytes` the HelloRetryRequest; `early_bytes` of `client_bytes` are the request as
    early data. Without a response there is no third round trip.
    """
    kind = cell.workload.connection.kind
    if kind == "reused":
        return _next_response_floor_ns(cell, retry_bytes, server_flight_bytes, response_bytes)
    if kind == "early":
        # The response follows the server's flight without another round trip. The flight waits for the ClientHello
        # alone, the response for all.
        flights_ns = handshake_floor_ns(cell, server_flight_bytes + response_bytes, client_bytes - early_bytes)
        return max(flights_ns, handshake_floor_ns(cell, response_bytes, client_bytes))
    handshake_ns = handshake_floor_ns(cell, server_flight_bytes, client_bytes, retry_bytes)
    if response_bytes == 0:
        return handshake_ns
    window = _first_window(cell, retry_bytes) + most_segments(server_flight_bytes, segment_bytes(cell.tcp.mtu))
    return handshake_ns + rtt_floor_ns(cell.link) + flight_ns(cell, response_bytes, window)


def _first_window(cell: Cell, retry_bytes: int) -> int:
    """Return the widest window that the server's flight can find: it may have grown by a HelloRetryRequest."""
    return cell.tcp.initcwnd_server + (most_segments(retry_bytes, segment_bytes(cell.tcp.mtu)) if retry_bytes else 0)


def _next_response_floor_ns(cell: Cell, retry_bytes: int, server_flight_bytes: int, response_bytes: int) -> int:
    """Return the least time of the second request of a connection; its response is as long as the first."""
    mss = segment_bytes(cell.tcp.mtu)
    window = _first_window(cell, retry_bytes) + sum(
        most_segments(size, mss) for size in (server_flight_bytes, response_bytes)
    )
    return rtt_floor_ns(cell.link) + flight_ns(cell, response_bytes, window)
