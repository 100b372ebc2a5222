"""The measuring sockets themselves, over the loopback interface: what they count is what was sent.

Nothing waits for a time to pass: what the tests ask of delays is their order, and that they are no years.
"""

import os
import socket
from collections.abc import Iterator
from itertools import count, pairwise

import pytest

from pqbed.calibrate.prober import DATAGRAMS_PER_LOOK, Arrivals, LocalProber, QueueFill, Train
from pqbed.units import NS_PER_MS, NS_PER_S

# Addresses of this process alone: ports are fixed, and tests run side by side.
NET = f"127.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250}"
CLIENT, SERVER = f"{NET}.1", f"{NET}.2"
SMALL = 16


def held(*packets: int) -> list[tuple[int, int]]:
    return [(number, 100 * number) for number in packets]


@pytest.fixture
def probers() -> Iterator[tuple[LocalProber, LocalProber]]:
    client, server = LocalProber(None, lambda: (7, 9100)), LocalProber(None, lambda: (0, 0))
    client.open(CLIENT, SERVER)
    server.open(SERVER, CLIENT)
    yield client, server
    client.close()
    server.close()


Both = tuple[LocalProber, LocalProber]


def test_a_train_arrives_whole_and_in_order(probers: Both) -> None:
    client, server = probers
    train = Train(number=3, count=50, payload_bytes=1000, first=5)
    client.send(train)
    arrivals = server.collect(train, 0, NS_PER_S)
    assert arrivals.numbers == tuple(range(5, 55))
    assert list(arrivals.sent_ns) == sorted(arrivals.sent_ns)
    assert all(0 < delay < 10 * NS_PER_S for delay in arrivals.delays_ns)
    arrived = [sent + delay for sent, delay in zip(arrivals.sent_ns, arrivals.delays_ns, strict=True)]
    assert arrived == sorted(arrived)


def test_datagrams_of_a_gap_are_that_far_apart(probers: Both) -> None:
    client, server = probers
    train = Train(number=1, count=4, payload_bytes=SMALL, gap_ns=5 * NS_PER_MS)
    client.send(train)
    sent = server.collect(train, 0, NS_PER_S).sent_ns
    assert all(later - sooner >= 5 * NS_PER_MS for sooner, later in pairwise(sent))


def test_a_train_of_another_number_is_passed_over_and_what_is_missing_waited_for(probers: Both) -> None:
    client, server = probers
    client.send(Train(number=1, count=3, payload_bytes=SMALL))
    client.send(Train(number=2, count=2, payload_bytes=SMALL))
    assert server.collect(Train(number=2, count=3, payload_bytes=SMALL), 0, NS_PER_MS).numbers == (0, 1)
    assert server.collect(Train(number=2, count=1, payload_bytes=SMALL), 0, NS_PER_MS) == Arrivals()


def test_a_datagram_that_comes_twice_counts_twice_and_completes_nothing(probers: Both) -> None:
    client, server = probers
    for _ in range(2):
        client.send(Train(number=1, count=1, payload_bytes=SMALL))
    assert server.collect(Train(number=1, count=2, payload_bytes=SMALL), 0, NS_PER_MS).numbers == (0, 0)


def test_the_mtu_is_the_most_that_ip_takes_over_the_loopback_interface(probers: Both) -> None:
    assert probers[0].mtu() == 65535


def test_a_connection_is_made_and_reset_and_made_again(probers: Both) -> None:
    client, server = probers
    for _ in range(3):
        assert client.connect(NS_PER_S)
        assert server.accept(NS_PER_S)
        client.reset()
        server.reset()


def test_no_connection_is_waited_for_no_longer_than_asked(probers: Both) -> None:
    client, server = probers
    assert not server.accept(NS_PER_MS)
    server.close()
    assert not client.connect(NS_PER_S)


def test_the_first_flight_is_what_the_window_takes(probers: Both) -> None:
    client, server = probers
    assert client.connect(NS_PER_S)
    assert server.accept(NS_PER_S)
    flight = client.send_first_flight(0)
    assert flight.window == 10
    assert (flight.retransmits, flight.packets, flight.packet_bytes) == (0, 7, 9100)
    with socket.socket() as other:
        usual = other.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
    assert flight.congestion_control == usual


@pytest.mark.parametrize(
    ("looks", "most", "packets", "full"),
    [
        (held(0), 100, 0, True),
        (held(40, 80, 80), 100, 80, True),
        (held(40, 70, 60), 100, 70, True),
        (held(40, 99, 99), 100, 99, True),
        (held(40, 100), 100, 100, False),
        (held(40, 120), 100, 120, False),
        (held(1, 2, 3, 3), 0, 1, False),
    ],
)
def test_a_queue_is_filled_until_it_takes_no_more_or_holds_enough(
    looks: list[tuple[int, int]], most: int, packets: int, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = count()
    monkeypatch.setattr(socket.socket, "sendto", lambda *_: next(sent))
    answers = iter(looks)
    prober = LocalProber(None, lambda: next(answers))
    prober.open(CLIENT, SERVER)
    monkeypatch.setattr("time.monotonic_ns", count(1000, 5).__next__)
    filled = prober.fill_queue(most)
    prober.close()
    assert filled == QueueFill(packets=packets, full=full, took_ns=5)
    assert next(sent) == DATAGRAMS_PER_LOOK * (len(looks) - len(list(answers)))
