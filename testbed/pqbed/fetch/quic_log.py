"""qlog of a client's QUIC connection, and what a sample keeps of it.

libcurl on ngtcp2 writes a file per connection into the folder that QLOGDIR names: JSON text sequences (RFC 7464) of
draft-ietf-quic-qlog-main-schema, with times in whole milliseconds.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqbed.units import NS_PER_MS

FOLDER_VARIABLE = "QLOGDIR"
_RECORD_SEPARATOR = "\x1e"

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicInfo:
    """What the client saw of a QUIC connection; None without a log.

    `initials` are the packets that carried its ClientHello, repeated ones included. `unvalidated_bytes` arrived
    before anything that the server sent after it had validated the client's address (RFC 9000, 8.1), and
    `blocked_ns` is how long nothing arrived from then on, while the server's flight was not complete. `lost` are
    packets of the client. `rtt_ns` (smoothed) and `cwnd_bytes` are those at the end.
    """

    initials: int | None = None
    unvalidated_bytes: int | None = None
    blocked_ns: int | None = None
    lost: int | None = None
    rtt_ns: int | None = None
    cwnd_bytes: int | None = None


class QuicLog:
    """The folder of the log of one connection at a time."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def clear(self) -> None:
        """Remove what was logged, and log the next connection."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="pqbed-qlog-"))
            os.environ[FOLDER_VARIABLE] = str(self._folder)
        for path in self._folder.iterdir():
            path.unlink()

    def text(self) -> str:
        """Return the log of the last connection that was opened since `clear`; empty without one."""
        paths = [] if self._folder is None else list(self._folder.iterdir())
        return max(paths, key=lambda path: path.stat().st_mtime_ns).read_text() if paths else ""

    def read(self) -> QuicInfo:
        """Return what it says."""
        return read_quic_info(self.text())


def read_quic_info(log: str) -> QuicInfo:
    """Read a log, whose last record may be cut short."""
    events = list(_events(log))
    if not events:
        return QuicInfo()
    sent = [event for event in events if event["name"] == "transport:packet_sent"]
    received = [event for event in events if event["name"] == "transport:packet_received"]
    metrics = [event["data"] for event in events if event["name"] == "recovery:metrics_updated"]
    unvalidated_bytes, blocked_ns = _amplification(sent, received, _last(metrics, "min_rtt") or 0)
    rtt_ms, cwnd_bytes = _last(metrics, "smoothed_rtt"), _last(metrics, "congestion_window")
    return QuicInfo(
        initials=sum(_packet_type(event) == "initial" and _has_crypto(event) for event in sent),
        unvalidated_bytes=unvalidated_bytes,
        blocked_ns=blocked_ns,
        lost=sum(event["name"] == "recovery:packet_lost" for event in events),
        rtt_ns=None if rtt_ms is None or not received else rtt_ms * NS_PER_MS,
        cwnd_bytes=cwnd_bytes,
    )


def _amplification(sent: Sequence[Event], received: Sequence[Event], min_rtt_ms: int) -> tuple[int | None, int | None]:
    """Return the bytes that came before the client's address was validated, and how long the server then waited, ns.

    The client's first Handshake packet validates it; what the server sends because of it comes a round trip later.
    """
    validating_ms = next((event["time"] for event in sent if _packet_type(event) == "handshake"), None)
    if validating_ms is None:
        return None, None
    last_ms = max(validating_ms, validating_ms + min_rtt_ms - 1)
    before = [event for event in received if event["time"] <= last_ms]
    after = [event for event in received[len(before) :] if _packet_type(event) == "handshake" and _has_crypto(event)]
    length = sum(event["data"]["raw"]["length"] for event in before)
    if not after or not before:
        return length, 0
    return length, (after[0]["time"] - before[-1]["time"]) * NS_PER_MS


def _events(log: str) -> Iterable[Event]:
    for record in log.split(_RECORD_SEPARATOR):
        try:
            event = json.loads(record)
        except ValueError:  # cut short, or empty before the first separator
            continue
        if "name" in event:
            yield event


def _packet_type(event: Event) -> str:
    return str(event["data"]["header"]["packet_type"])


def _has_crypto(event: Event) -> bool:
    return any(frame["frame_type"] == "crypto" for frame in event["data"].get("frames", ()))


def _last(metrics: Sequence[dict[str, int]], name: str) -> int | None:
    return next((values[name] for values in reversed(metrics) if name in values), None)
