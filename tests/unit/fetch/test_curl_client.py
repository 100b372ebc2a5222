"""The libcurl client against a real TLS server on the loopback interface."""

import contextlib
import errno
import os
import shutil
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pycurl
import pytest

from pqbed.errors import HostError
from pqbed.fetch import curl_client
from pqbed.fetch.curl_client import CurlClient, _classify
from pqbed.fetch.fetch_outcome import judge
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.fetch.tcp_info import TcpInfo
from pqbed.spec.connection import Connection
from pqbed.spec.profile import Chain, mark_shares
from pqbed.spec.sample import Timings
from pqbed.tls.certificate_chains import SERVER_NAME, ChainFiles, make_chain
from pqbed.tls.client_credentials import Credentials

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")

SIZE = 300_000
GROUP_LINE = "X-Pqbed-Group: X25519"
WAIT_S = 10


@dataclass(frozen=True)
class Chains:
    server: ChainFiles
    stranger: ChainFiles
    client: ChainFiles


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    folder = tmp_path_factory.mktemp("chains")
    chain = Chain(algorithm="p256")
    return Chains(
        server=make_chain(chain, folder / "server"),
        stranger=make_chain(chain, folder / "stranger"),
        client=make_chain(chain, folder / "client", "client"),
    )


def respond(
    connection: ssl.SSLSocket,
    *,
    status: str = "200 OK",
    headers: tuple[str, ...] = (GROUP_LINE,),
    length: int = SIZE,
    body: int = SIZE,
) -> None:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + bytes(body))


class TlsServer:
    """Accepts one connection after the other and answers each with `answer(connection)`; records what it saw."""

    def __init__(self, chains: Chains, *, curve: str | None = None, client_root: Path | None = None) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chains.server.sent, chains.server.key)
        if curve is not None:  # X25519 is served without being named, which Python before 3.11.3 cannot do
            self.context.set_ecdh_curve(curve)
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        if client_root is not None:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_root)
        self.answer: Callable[..., None] = respond
        self.names: list[Any] = []
        self.requests: list[Any] = []
        self.resumed: list[Any] = []
        self.alpn: list[Any] = []
        self.clients: list[Any] = []
        self.ending = threading.Event()
        self.ends: list[Any] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while True:
            plain, _ = self.listener.accept()
            with plain:
                if self.ending.is_set():
                    return
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    self.serve(plain)

    def serve(self, plain: socket.socket) -> None:
        plain.settimeout(WAIT_S)
        with self.context.wrap_socket(plain, server_side=True) as connection:
            self.resumed.append(connection.session_reused)
            self.alpn.append(connection.selected_alpn_protocol())
            self.clients.append(connection.getpeercert() or None)
            self.requests.append(connection.recv(4096).decode())
            self.answer(connection)
            if connection.fileno() >= 0:
                self.ends.append(self.end_of(connection))

    @staticmethod
    def end_of(connection: ssl.SSLSocket) -> bytes | str:
        """Return how the client ends the connection, below TLS: with a reset, or with bytes and a FIN (b"")."""
        with socket.socket(fileno=os.dup(connection.fileno())) as plain:
            plain.settimeout(WAIT_S)
            try:
                return plain.recv(1)
            except ConnectionResetError:
                return "reset"

    def close(self) -> None:
        self.ending.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()
        self.listener.close()


@pytest.fixture
def serving(chains: Chains) -> Iterator[Callable[..., Any]]:
    servers = []

    def start(**options: Any) -> TlsServer:
        servers.append(TlsServer(chains, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def server(serving: Callable[..., TlsServer]) -> TlsServer:
    return serving()


@pytest.fixture
def client() -> Iterator[CurlClient]:
    client = CurlClient()
    yield client
    client.release()


def request_to(port: int, chains: Chains, **changes: Any) -> FetchRequest:
    request = FetchRequest(
        address="127.0.0.1",
        port=port,
        server_name=SERVER_NAME,
        size_bytes=SIZE,
        group="X25519",
        signature="ecdsa_secp256r1_sha256",
        root_pem=chains.server.root.read_text(),
        timeout_ns=WAIT_S * 10**9,
    )
    return replace(request, **changes)


def fetch(client: CurlClient, server: TlsServer, chains: Chains, **changes: Any) -> Timings:
    timings = client.fetch(request_to(server.port, chains, **changes))
    client.release()
    return timings


def test_a_fetch_gives_its_milestones_in_order(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    timings = fetch(client, server, chains)
    assert (timings.outcome, timings.detail) == ("ok", "")
    assert (timings.body_bytes, timings.http_status, timings.group) == (SIZE, 200, "x25519")
    assert timings.signature == "ecdsa_secp256r1_sha256"
    milestones = (timings.tcp_connect_ns, timings.tls_done_ns, timings.first_byte_ns, timings.last_byte_ns)
    assert 0 < milestones[0] < milestones[1] < milestones[2] <= milestones[3] < WAIT_S * 10**9


def test_a_fetch_reads_tcp_info_of_its_own_connection(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    timings = fetch(client, server, chains)
    assert timings.cwnd >= 2
    assert 0 < timings.tcp_rtt_ns < 10**9
    assert (timings.retransmits, timings.lost) == (0, 0)


def test_the_request_names_the_server_and_the_size(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    fetch(client, server, chains)
    assert server.names == [SERVER_NAME]
    assert server.requests[0].startswith(f"GET /{SIZE} HTTP/1.1\r\nHost: {SERVER_NAME}:{server.port}\r\n")
    assert server.alpn == [None]


def test_every_fetch_is_a_new_connection_without_resumption(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    assert [fetch(client, server, chains).outcome for _ in range(3)] == ["ok"] * 3
    assert server.resumed == [False] * 3


def test_a_resumed_connection_is_told_by_both_sides(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    assert resume(client, server, chains, word="r").outcome == "ok"
    assert server.resumed == [False, True]
    server.answer = respond
    assert fetch(client, server, chains).outcome == "ok"
    assert server.resumed[-1] is False, "a full connection has no ticket"


def test_each_resumption_takes_a_ticket_of_its_own(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    assert [resume(client, server, chains, word="r").outcome for _ in range(3)] == ["ok"] * 3
    assert server.resumed == [False, True] * 3


def test_without_tickets_it_is_another_connection_and_no_time(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    server.context.num_tickets = 0
    timings = resume(client, server, chains, word=".")
    assert (timings.outcome, timings.detail) == ("wrong_connection", "asked for resumed, the client says full")
    assert timings.last_byte_ns is None


def test_both_sides_must_say_it(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    timings = resume(client, server, chains, word=".")
    assert (timings.outcome, timings.detail) == ("wrong_connection", "asked for resumed, the server says full")


def test_early_data_that_is_refused_is_another_connection(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    timings = resume(client, server, chains, kind="early", word="r")
    assert (timings.outcome, timings.detail) == ("wrong_connection", "asked for early, the client says resumed")


def test_a_reused_connection_that_had_to_be_opened_anew_is_another(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    """The server answers one request and closes."""

    def answer_and_close(connection: ssl.SSLSocket) -> None:
        respond(connection)
        connection.close()

    server.answer = answer_and_close
    timings = fetch(client, server, chains, connection=Connection(kind="reused", idle_ns=50 * 10**6))
    assert (timings.outcome, timings.detail) == ("wrong_connection", "asked for reused, the client says nothing")
    assert len(server.requests) == 2


def test_what_fails_before_a_reused_connection_is_said(client: CurlClient, chains: Chains) -> None:
    timings = client.fetch(request_to(1, chains, connection=Connection(kind="reused")))
    assert timings.outcome == "wrong_connection"
    assert timings.detail.startswith("the request before it failed: refused")


def resume(client: CurlClient, server: TlsServer, chains: Chains, *, kind: Any = "resumed", word: str) -> Timings:
    request = request_to(server.port, chains, connection=Connection(kind=kind))
    server.answer = lambda connection: respond(connection, headers=(f"{GROUP_LINE} .",))
    assert client.prime(request).outcome == "ok"
    server.answer = lambda connection: respond(connection, headers=(f"{GROUP_LINE} {word}",))
    timings = client.fetch(request)
    client.release()
    return timings


def test_the_connection_stays_open_until_release_and_is_then_reset(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    client.fetch(request_to(server.port, chains))
    connection = client._connection
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"  # established
    assert server.ends == []
    client.release()
    client.release()
    server.close()
    assert server.ends == ["reset"]


def test_the_next_fetch_resets_a_connection_that_nobody_released(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    assert [client.fetch(request_to(server.port, chains)).outcome for _ in range(2)] == ["ok", "ok"]
    assert server.ends == ["reset"]
    client.release()


def test_no_proxy_is_used(
    client: CurlClient, server: TlsServer, chains: Chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert fetch(client, server, chains).outcome == "ok"


@pytest.mark.parametrize(
    ("answer", "judgement"),
    [
        ({"headers": ("X-Pqbed-Group: 0x11ec",)}, ("wrong_group", "asked for X25519, the server says X25519MLKEM768")),
        ({"headers": ()}, ("wrong_group", "asked for X25519, the server says None")),
        ({"headers": ("x-pqbed-group:   X25519  ",)}, ("ok", "")),
        ({"status": "404 Not Found"}, ("short_body", "the server answered with status 404")),
        ({"length": 1000, "body": 1000}, ("short_body", f"1000 of {SIZE} bytes")),
    ],
)
def test_a_whole_response_is_judged(
    client: CurlClient, server: TlsServer, chains: Chains, answer: dict[str, Any], judgement: tuple[str, ...]
) -> None:
    server.answer = lambda connection: respond(connection, **answer)
    timings = fetch(client, server, chains)
    outcome = timings.outcome
    assert (outcome, timings.detail) == judgement
    assert (timings.last_byte_ns is None) == (outcome == "short_body")


def test_nothing_of_a_response_stays_for_the_next(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    assert fetch(client, server, chains).group == "x25519"
    server.answer = lambda connection: respond(connection, headers=(), length=10, body=10)
    timings = fetch(client, server, chains, size_bytes=10)
    assert (timings.outcome, timings.group, timings.body_bytes) == ("wrong_group", None, 10)


def end_early(connection: ssl.SSLSocket) -> None:
    respond(connection, body=1000)
    connection.unwrap()


def say_nothing(connection: ssl.SSLSocket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def break_off(connection: ssl.SSLSocket) -> None:
    respond(connection, body=1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize(
    ("answer", "outcome"), [(end_early, "short_body"), (say_nothing, "reset"), (break_off, "reset")]
)
def test_a_response_that_breaks_off_is_a_sample(
    client: CurlClient, server: TlsServer, chains: Chains, answer: Callable[..., Any], outcome: str
) -> None:
    server.answer = answer
    timings = fetch(client, server, chains)
    assert timings.outcome == outcome
    assert timings.detail.startswith("curl ")
    assert timings.tls_done_ns > 0
    assert timings.last_byte_ns is None


def test_a_server_that_stays_silent_is_a_timeout(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    server.answer = lambda _connection: None
    timings = fetch(client, server, chains, timeout_ns=300_000_000)
    assert (timings.outcome, timings.first_byte_ns, timings.body_bytes) == ("timeout", None, 0)
    assert timings.tls_done_ns > 0


def test_a_port_without_a_server_refuses(client: CurlClient, chains: Chains) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    timings = client.fetch(request_to(port, chains))
    assert (timings.outcome, timings.tcp_connect_ns, timings.tls_done_ns) == ("refused", None, None)


def test_another_root_is_an_error_of_tls(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    timings = fetch(client, server, chains, root_pem=chains.stranger.root.read_text())
    assert (timings.outcome, timings.tls_done_ns, timings.signature) == ("tls_error", None, None)
    assert timings.tcp_connect_ns > 0


def test_another_name_is_an_error_of_tls(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    assert fetch(client, server, chains, server_name="other.pqbed.test").outcome == "tls_error"


def test_a_server_without_the_group_is_an_error_of_tls(
    client: CurlClient, serving: Callable[..., Any], chains: Chains
) -> None:
    assert fetch(client, serving(curve="prime256v1"), chains).outcome == "tls_error"


def test_a_group_is_restricted_to_one_fetch(client: CurlClient, serving: Callable[..., Any], chains: Chains) -> None:
    server = serving(curve="prime256v1")
    server.answer = lambda connection: respond(connection, headers=("X-Pqbed-Group: prime256v1",))
    assert fetch(client, server, chains, group="secp256r1").outcome == "ok"
    assert fetch(client, server, chains).outcome == "tls_error"


# An X25519 share to a server that has P-256 alone: it asks for another hello.
RETRIED: dict[str, Any] = {"group": "secp256r1", "groups": ("X25519", "secp256r1"), "shares": ("X25519",)}


@pytest.fixture
def p256_server(serving: Callable[..., Any]) -> TlsServer:
    server: TlsServer = serving(curve="prime256v1")
    server.answer = lambda connection: respond(connection, headers=("X-Pqbed-Group: prime256v1",))
    return server


def test_an_expected_hello_retry_request_is_a_milestone(
    client: CurlClient, p256_server: TlsServer, chains: Chains
) -> None:
    timings = fetch(client, p256_server, chains, **RETRIED)
    assert (timings.outcome, timings.detail, timings.hello_retry) == ("ok", "", True)
    assert timings.tcp_connect_ns < timings.hello_retry_ns < timings.tls_done_ns
    both = fetch(client, p256_server, chains, **RETRIED | {"shares": ("X25519", "secp256r1")})
    assert (both.outcome, both.hello_retry, both.hello_retry_ns) == ("ok", False, None)
    alone = fetch(client, p256_server, chains, group="secp256r1", groups=("secp256r1",), shares=("secp256r1",))
    assert (alone.outcome, alone.hello_retry) == ("ok", None)


@pytest.mark.parametrize(
    ("shares", "sent", "detail"),
    [
        (("X25519", "secp256r1"), ("X25519",), "the server asked for another hello (HelloRetryRequest)"),
        (("X25519",), ("X25519", "secp256r1"), "no HelloRetryRequest came, so the first hello had a key share of "),
    ],
)
def test_other_key_shares_than_the_profile_s_are_a_wrong_group(
    client: CurlClient,
    p256_server: TlsServer,
    chains: Chains,
    monkeypatch: pytest.MonkeyPatch,
    *,
    shares: tuple[str, ...],
    sent: tuple[str, ...],
    detail: str,
) -> None:
    monkeypatch.setattr(curl_client, "mark_shares", lambda groups, _shares: mark_shares(groups, sent))
    timings = fetch(client, p256_server, chains, **RETRIED | {"shares": shares})
    assert timings.outcome == "wrong_group"
    assert timings.detail.startswith(detail)


def test_a_group_that_the_server_prefers_is_not_the_one_asked_for(
    client: CurlClient, p256_server: TlsServer, chains: Chains
) -> None:
    timings = fetch(client, p256_server, chains, **RETRIED | {"group": "X25519"})
    assert (timings.outcome, timings.detail) == ("wrong_group", "asked for X25519, the server says secp256r1")


def test_credentials_are_shown_only_for_the_profile_they_are_for(
    client: CurlClient, serving: Callable[..., Any], chains: Chains
) -> None:
    files = chains.client
    client.take_credentials(
        [Credentials(profile="mutual", chain_pem=files.sent.read_text(), key_pem=files.key.read_text())]
    )
    server = serving(client_root=files.root)
    proven = fetch(client, server, chains, credentials="mutual")
    assert (proven.outcome, proven.detail) == ("ok", "")
    assert server.clients[0]["subject"] == ((("commonName", "client.pqbed.test"),),)
    assert fetch(client, server, chains).outcome in ("reset", "tls_error")
    assert len(server.clients) == 1


def test_keys_are_logged_between_log_keys_and_take_keys_only(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    fetch(client, server, chains)
    client.log_keys()
    path = Path(os.environ["SSLKEYLOGFILE"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert fetch(client, server, chains).outcome == "ok"
    keys = client.take_keys()
    assert {line.split()[0] for line in keys.splitlines() if not line.startswith("#")} >= {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_TRAFFIC_SECRET_0",
    }
    assert len({line.split()[1] for line in keys.splitlines()}) == 1
    assert not path.exists()
    assert "SSLKEYLOGFILE" not in os.environ
    assert fetch(client, server, chains).outcome == "ok"
    assert not path.exists()


def test_a_version_that_libcurl_lacks_is_not_tried(
    client: CurlClient, chains: Chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(curl_client._FEATURES, "3", 0)
    timings = client.fetch(request_to(1, chains, http="3"))
    assert (timings.outcome, timings.detail) == ("unsupported", "this libcurl does not speak HTTP/3")


def test_a_response_by_another_version_is_wrong(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    timings = fetch(client, server, chains, http="2")
    assert (timings.outcome, timings.last_byte_ns) == ("wrong_connection", None)
    assert timings.detail == "asked for HTTP/2, the response came by HTTP/1.1"
    assert server.alpn == ["http/1.1"]


def test_the_version_is_that_of_libcurl_and_its_tls_library(client: CurlClient) -> None:
    assert "libcurl/" in client.version()
    assert "OpenSSL/" in client.version()


def test_a_pycurl_with_another_tls_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pycurl, "version", "PycURL/7.49.0 libcurl/8.23.0 GnuTLS/3.8.3")
    with pytest.raises(HostError, match="GnuTLS"):
        CurlClient()


@pytest.mark.parametrize(
    ("code", "os_errno", "outcome"),
    [
        (pycurl.E_COULDNT_CONNECT, errno.ETIMEDOUT, "timeout"),
        (pycurl.E_COULDNT_CONNECT, errno.ECONNREFUSED, "refused"),
        (pycurl.E_HTTP2, 0, "reset"),
    ],
)
def test_codes_of_libcurl_are_outcomes(code: int, os_errno: int, outcome: str) -> None:
    assert _classify(code, "", os_errno)[0] == outcome


def test_a_server_that_staples_nothing_fails_a_client_that_asks(
    client: CurlClient, server: TlsServer, chains: Chains
) -> None:
    refused = fetch(client, server, chains, staple=True)
    assert (refused.outcome, refused.last_byte_ns) == ("tls_error", None)
    assert "curl 91" in refused.detail
    assert fetch(client, server, chains).outcome == "ok", "the next fetch asks for nothing"


def test_a_profile_with_alpn_negotiates_http_1_1(client: CurlClient, server: TlsServer, chains: Chains) -> None:
    assert fetch(client, server, chains, alpn=True).outcome == "ok"
    assert fetch(client, server, chains).outcome == "ok"
    assert server.alpn == ["http/1.1", None]


def test_a_syn_whose_data_nobody_took_is_no_fast_open() -> None:
    request = FetchRequest(
        address="127.0.0.1",
        port=1,
        server_name=SERVER_NAME,
        size_bytes=SIZE,
        group="X25519",
        signature="x",
        root_pem="",
        timeout_ns=1,
        fast_open=True,
    )
    said = {
        (taken, again): judge(request, 200, SIZE, ("X25519",), info=TcpInfo(syn_data=taken, retransmits=again))
        for taken, again in ((True, 0), (False, 0), (False, 1))
    }
    assert said[True, 0] == said[False, 1] == ("ok", "")
    assert said[False, 0] == ("wrong_connection", "asked for TCP Fast Open, the server took no data of the SYN")
