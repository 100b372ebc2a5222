"""qlog of a client: logs written as ngtcp2 writes them, of a round trip of 100 ms."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pqbed.fetch.quic_log import FOLDER_VARIABLE, QuicInfo, QuicLog, read_quic_info
from support.units import MS

CRYPTO = ({"frame_type": "crypto", "offset": 0, "length": 1},)
ACK = ({"frame_type": "ack", "acked_ranges": [[0]]},)


def packet(at_ms: int, name: str, kind: str, length: int, frames: tuple[dict[str, Any], ...] = CRYPTO) -> str:
    data = {"frames": frames, "header": {"packet_type": kind, "packet_number": 0}, "raw": {"length": length}}
    return record({"time": at_ms, "name": f"transport:packet_{name}", "data": data})


def metrics(at_ms: int, **values: int) -> str:
    return record({"time": at_ms, "name": "recovery:metrics_updated", "data": values})


def record(content: dict[str, Any]) -> str:
    return f"\x1e{json.dumps(content)}\n"


HEAD = record({"qlog_version": "0.3", "trace": {}})
HELLO = packet(0, "sent", "initial", 1200) * 2
FIRST_METRICS = metrics(0, smoothed_rtt=333, congestion_window=12_000)
BURST = packet(100, "received", "initial", 1200) + packet(100, "received", "handshake", 1200) * 5
MEASURED = metrics(100, min_rtt=100, smoothed_rtt=100, congestion_window=14_400)
VALIDATING = packet(100, "sent", "handshake", 1126, ACK)
REST = packet(200, "received", "handshake", 1200) * 4
BLOCKED = HEAD + HELLO + FIRST_METRICS + BURST + MEASURED + VALIDATING + REST


def test_a_blocked_handshake() -> None:
    assert read_quic_info(BLOCKED) == QuicInfo(
        initials=2,
        unvalidated_bytes=7200,
        blocked_ns=100 * MS,
        lost=0,
        rtt_ns=100 * MS,
        cwnd_bytes=14_400,
    )


def test_a_handshake_that_the_limit_does_not_stop() -> None:
    later = packet(200, "received", "1RTT", 500) + packet(300, "received", "1RTT", 500, ACK)
    found = read_quic_info(HEAD + HELLO + BURST + MEASURED + VALIDATING + later)
    assert (found.unvalidated_bytes, found.blocked_ns) == (7200, 0)


def test_a_burst_still_arriving_when_the_server_is_validated_is_no_wait() -> None:
    """On a slow link the client answers the first datagram, a round trip before the last of the burst is there."""
    burst = "".join(packet(100 + 10 * number, "received", "handshake", 1200) for number in range(20))
    answer = packet(100, "sent", "handshake", 1126, ACK)
    found = read_quic_info(HEAD + HELLO + MEASURED + answer + burst)
    assert (found.unvalidated_bytes, found.blocked_ns) == (10 * 1200, 10 * MS)


def test_a_hello_that_is_sent_again_and_packets_lost() -> None:
    lost = record({"time": 50, "name": "recovery:packet_lost", "data": {}})
    again = packet(90, "sent", "initial", 1200)
    acknowledging = packet(100, "sent", "initial", 70, ACK)
    found = read_quic_info(HEAD + HELLO + lost + again + BURST + acknowledging)
    assert (found.initials, found.lost) == (3, 1)
    assert (found.unvalidated_bytes, found.blocked_ns) == (None, None)


def test_a_server_that_never_answered() -> None:
    found = read_quic_info(HEAD + HELLO + FIRST_METRICS)
    assert found == QuicInfo(initials=2, lost=0, cwnd_bytes=12_000)


@pytest.mark.parametrize("log", ["", "\x1e", '\x1e{"na'])
def test_without_a_log_nothing_is_said(log: str) -> None:
    assert read_quic_info(log) == QuicInfo()


def test_a_record_cut_short_is_left_out() -> None:
    assert read_quic_info(BLOCKED + REST[:40]) == read_quic_info(BLOCKED)


def test_one_connection_is_logged_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    log = QuicLog()
    assert log.read() == QuicInfo()
    log.clear()
    Path(os.environ[FOLDER_VARIABLE], "a.sqlog").write_text(BLOCKED)
    assert log.read().initials == 2
    log.clear()
    assert log.read() == QuicInfo()
