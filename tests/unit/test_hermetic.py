"""The guard of these tests themselves."""

import socket

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "a.example"])
def test_no_other_host_is_asked(host: str) -> None:
    with pytest.raises(AssertionError, match="a unit test asks"):
        socket.create_connection((host, 80), timeout=1)


def test_no_datagram_leaves() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(AssertionError):
        sender.sendto(b"", ("192.0.2.1", 9))


def test_the_loopback_interface_may_be_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
