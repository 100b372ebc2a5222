"""The driver for clients that are programs: what they say is judged, and keys pass by their input alone."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pqbed.errors import LaneError
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.fetch.program_client import ProgramClient
from pqbed.spec.stacks import Stack
from pqbed.tls.client_credentials import Credentials

# A program that answers by the port it is asked for; the real ones are tested in guests and containers.
PROGRAM = """
import json, os, sys
times = dict(tcp_connect_ns=1, tls_done_ns=2, first_byte_ns=3, last_byte_ns=4)
usual = dict(outcome="ok", body_bytes=0, http_status=200, **times)
group = dict(group="0x11ec", server_group="0x11ec")
for line in sys.stdin:
    asked = json.loads(line)
    if asked["call"] == "release":
        answer = dict(outcome="ok")
    elif asked["port"] == 1:
        answer = {**usual, **group, "detail": asked["key_pem"]}
    elif asked["port"] == 2:
        answer = {**usual, **group, "retried": True}
    elif asked["port"] == 3:
        answer = {**usual, **group, "group": "0x001d"}
    elif asked["port"] == 4:
        answer = {**usual, **group, "server_group": ""}
    elif asked["port"] == 5:
        answer = dict(outcome="refused", detail="no")
    else:
        sys.exit(7)
    if "SSLKEYLOGFILE" in os.environ and asked["call"] == "fetch":
        with open(os.environ["SSLKEYLOGFILE"], "a") as log:
            log.write("CLIENT_RANDOM 00 11\\n")
    print(json.dumps(answer), flush=True)
"""
REQUEST = FetchRequest(
    address="198.18.0.2",
    port=1,
    server_name="server.pqbed.test",
    size_bytes=0,
    group="X25519MLKEM768",
    signature="mldsa65",
    root_pem="",
    timeout_ns=1,
)


@pytest.fixture
def client() -> Iterator[Any]:
    made = ProgramClient(
        Stack(name="tried", title="", server="program", client="program", program=(sys.executable, "-c", PROGRAM))
    )
    yield made
    made._end()


@pytest.mark.parametrize(
    ("port", "outcome", "detail"),
    [
        (1, "ok", ""),
        (2, "wrong_group", "the server asked for another hello (HelloRetryRequest)"),
        (3, "wrong_group", "asked for X25519MLKEM768, the server says 0x001d"),
        (4, "wrong_group", "asked for X25519MLKEM768, the server says None"),
        (5, "refused", "no"),
    ],
)
def test_a_slow_success_is_none(client: Any, port: Any, outcome: Any, detail: Any) -> None:
    timings = client.fetch(replace(REQUEST, port=port))
    assert (timings.outcome, timings.detail) == (outcome, detail)
    client.release()


def test_a_fetch_over_another_group_keeps_its_times_and_names_that_group(client: Any) -> None:
    timings = client.fetch(replace(REQUEST, port=3))
    assert (timings.last_byte_ns, timings.group) == (4, "x25519")


def test_a_program_that_ends_ends_the_lane_and_tells_no_key(client: Any) -> None:
    client.take_credentials([Credentials(profile="mutual", chain_pem="chain", key_pem="PRIVATE")])
    with pytest.raises(LaneError, match=r"the client of tried ended in a fetch \(exit code 7\)") as ended:
        client.fetch(replace(REQUEST, port=6, credentials="mutual"))
    assert "PRIVATE" not in str(ended.value)


def test_keys_are_logged_only_between_the_two_calls(client: Any) -> None:
    client.fetch(REQUEST)
    client.log_keys()
    client.fetch(REQUEST)
    assert client.take_keys() == "CLIENT_RANDOM 00 11\n"
    client.fetch(REQUEST)
    assert client.take_keys() == ""


def test_only_a_mutual_request_carries_the_key(client: Any) -> None:
    client.take_credentials([Credentials(profile="mutual", chain_pem="chain", key_pem="a key")])
    assert client._question(replace(REQUEST, credentials="mutual"))["key_pem"] == "a key"
    assert client._question(REQUEST)["key_pem"] == ""
