"""Ethernet frames of a TCP segment: their bytes, and the time they take at a rate."""

ETHERNET_BYTES = 14
# IPv4, and TCP with the time stamp option.
TCP_IP_BYTES = 20 + 32
FRAME_OVERHEAD_BYTES = ETHERNET_BYTES + TCP_IP_BYTES
# A SYN has no payload and all of TCP's options.
SYN_WIRE_BYTES = ETHERNET_BYTES + 20 + 40
DEFAULT_MSS = 1500 - TCP_IP_BYTES

_NS = 1_000_000_000


def segment_bytes(mtu: int) -> int:
    """Return the payload of a full segment (1448 at an MTU of 1500)."""
    return mtu - TCP_IP_BYTES


def segment_count(payload_bytes: int, mss: int = DEFAULT_MSS) -> int:
    return -(-payload_bytes // mss)


def wire_bytes(payload_bytes: int, mss: int = DEFAULT_MSS) -> int:
    """Return W(n): what `payload_bytes` are on the wire."""
    return payload_bytes + FRAME_OVERHEAD_BYTES * segment_count(payload_bytes, mss)


def frame_ns(frame_bytes: int, bandwidth_bps: int | None) -> int:
    """Return how long one frame takes to pass the bottleneck, rounded as netem does: whole bytes per second, then down.

    None: no limit.
    """
    return 0 if bandwidth_bps is None else frame_bytes * _NS // max(1, bandwidth_bps // 8)


def transmit_ns(payload_bytes: int, bandwidth_bps: int | None, mss: int = DEFAULT_MSS) -> int:
    """Return how long `payload_bytes` take to pass the bottleneck back to back: W(n) / bandwidth."""
    full, rest = divmod(payload_bytes, mss)
    last_ns = frame_ns(rest + FRAME_OVERHEAD_BYTES, bandwidth_bps) if rest else 0
    return full * frame_ns(mss + FRAME_OVERHEAD_BYTES, bandwidth_bps) + last_ns
