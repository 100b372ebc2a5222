"""fewer_calls.so in a process of its own, against a peer that sends records in pieces over the loopback interface."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pqbed.fetch.fewer_calls import PRELOAD_VARIABLE, FewerCalls, client_environment

SOURCE = Path(__file__).parents[3] / "images" / "openssl" / "fewer_calls.c"

# A record of 3,000 bytes comes as 5 + 995 bytes, then 500 a time; its reader asks for what is left of it.
PROGRAM = """
import ctypes, errno, json, socket, sys, threading, time
from pqbed.fetch.fewer_calls import FewerCalls
libc = ctypes.CDLL(None, use_errno=True)
record = b"\\x17\\x03\\x03" + (3000).to_bytes(2, "big") + bytes(3000)
pieces, limit_ns = int(sys.argv[1]), int(sys.argv[2])
sent = threading.Event()

def serve(listener):
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(record[:1000])
    for piece in range(pieces):
        sent.wait(0.05)
        peer.sendall(record[1000 + 501 * piece:][:501])
    assert peer.recv(1) == b"x"
    peer.sendall(record)

def read(size):
    buffer = ctypes.create_string_buffer(size)
    got = libc.recv(client.fileno(), buffer, size, 0)
    return got if got >= 0 else errno.errorcode[ctypes.get_errno()]

listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
calls = FewerCalls()
fetch = calls.during(limit_ns)
fetch.__enter__()
client = socket.create_connection(listener.getsockname())
client.setblocking(False)
while (first := read(65536)) == "EAGAIN":
    time.sleep(0.01)
began = time.monotonic()
same = began == time.monotonic()
rest = read(3005 - 1000)
took, records = time.monotonic() - began, calls.records
nothing = read(65536)
fetch.__exit__(None, None, None)
apart = time.monotonic() != time.monotonic()
client.send(b"x")
client.close()
seen = {"first": first, "rest": rest, "took": took, "records": records, "nothing": nothing}
print(json.dumps({**seen, "same": same, "apart": apart}))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler on this host: apt-get install gcc")
    built = tmp_path_factory.mktemp("built") / "fewer_calls.so"
    subprocess.run([compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", built, SOURCE], check=True)
    return built


def run(library: Path | None, pieces: int, limit_ns: int) -> Any:
    environment = {**os.environ, PRELOAD_VARIABLE: str(library or "")}
    command = [sys.executable, "-c", PROGRAM, str(pieces), str(limit_ns)]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60).stdout)


def test_the_rest_of_a_record_is_waited_for_and_nothing_else(library: Path) -> None:
    seen = run(library, 5, 60 * 10**9)
    assert (seen["first"], seen["rest"], seen["records"], seen["nothing"]) == (1000, 2005, 1, "EAGAIN")


def test_without_it_what_is_there_is_taken() -> None:
    seen = run(None, 5, 60 * 10**9)
    assert (seen["first"], seen["records"]) == (1000, 0)
    assert seen["rest"] != 2005


def test_a_record_that_does_not_end_is_given_up_before_the_limit(library: Path) -> None:
    seen = run(library, 2, 1_200_000_000)
    assert (seen["first"], seen["rest"], seen["records"], seen["nothing"]) == (1000, 1002, 0, "EAGAIN")
    assert 0.5 < seen["took"] < 1.2


def test_clocks_stand_still_between_calls_that_may_wait(library: Path) -> None:
    with_it, without = (run(each, 5, 60 * 10**9) for each in (library, None))
    assert (with_it["same"], with_it["apart"]) == (True, True)
    assert (without["same"], without["apart"]) == (False, True)
    assert with_it["took"] > 0


def test_where_it_is_not_loaded_nothing_is_done() -> None:
    calls = FewerCalls()
    with calls.during(10**9):
        time.sleep(0)
    assert (calls.loaded, calls.records, calls.clocks, client_environment()) == (False, 0, 0, {})
