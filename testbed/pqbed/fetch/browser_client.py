"""Client with the ClientHello of a named browser: libcurl on BoringSSL, as curl_cffi has it.

One handle for each fetch. Of what makes a hello only the version of HTTP is set: HTTP/1.1 alone, which takes 3 bytes
off it, and Chrome's 9 of ALPS. Its library offers no way to have the socket before it is opened.
"""

import contextlib
import ctypes
import importlib
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pqbed.errors import HostError
from pqbed.fetch.fetch_outcome import judge, read_group_header
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.fetch.handshake_log import HandshakeLog
from pqbed.fetch.key_log import KEY_LOG_VARIABLE
from pqbed.fetch.tcp_info import TcpInfo, read_tcp_info
from pqbed.spec.sample import Outcome, Timings
from pqbed.spec.stacks import Stack
from pqbed.spec.workload import Http
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.group_names import GROUP_HEADER
from pqbed.tls.hello_shares import HelloOffer, read_offer, whole_hello
from pqbed.tls.run_program import DAMAGED_HINT
from pqbed.tls.stack_support import Support
from pqbed.units import NS_PER_MS, NS_PER_US

# Of the stack's environment: which browser, and where curl_cffi lies.
BROWSER, FILES = "PQBED_BROWSER", "PQBED_BROWSER_FILES"
# struct sockaddr of family AF_UNSPEC: connecting to it resets the connection (connect(2)).
_UNSPECIFIED_ADDRESS = bytes(16)
# CURL_HTTP_VERSION_* of include/curl/curl.h.
_HTTP_1_1 = 2
_HTTP_VERSIONS: dict[int, Http] = {_HTTP_1_1: "1.1", 3: "2"}
_PROBE_TIMEOUT_MS, _HELLO_BYTES = 5_000, 16_384
# CURLcode of include/curl/curl.h.
_OUTCOMES: dict[int, Outcome] = {
    **dict.fromkeys((7,), "refused"),
    **dict.fromkeys((28,), "timeout"),
    **dict.fromkeys((35, 58, 59, 60), "tls_error"),
    **dict.fromkeys((18,), "short_body"),
}


class BrowserClient:
    """Owns, between `fetch` and `release`, the handle of the last fetch and a duplicate of its socket."""

    def __init__(self, stack: Stack) -> None:
        self._browser = stack.environment[BROWSER]
        self._cffi = _load(stack.environment[FILES])
        self._libc = ctypes.CDLL(None)
        self._curl: Any = None
        self._connection: socket.socket | None = None
        self._handshake = HandshakeLog()
        self._headers: list[bytes] = []
        self._body_bytes = 0
        self._offer: HelloOffer | None = None
        self._key_log: Path | None = None

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        """Take none: fetches of mutual profiles are refused."""

    def support(self) -> Support:
        """Return what the browser's own hello offers; no library has to be asked."""
        offer = self._look_at_hello()
        version = f"{self._browser} ({self.version()})"
        return Support(version=version, groups=offer.groups, signatures=offer.signatures)

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch. A failure is a result, not an exception."""
        if request.http != "1.1":
            return Timings(outcome="unsupported", detail=f"this client does not speak HTTP/{request.http}")
        if request.credentials:
            return Timings(outcome="unsupported", detail="this client sends no certificates")
        outcome, detail = self._perform(request)
        return self._judge(request, outcome, detail)

    def prime(self, request: FetchRequest) -> Timings:  # noqa: ARG002
        """Refuse: its entry has no kind of connection that needs it."""
        return Timings(outcome="unsupported", detail="this client keeps no tickets")

    def release(self) -> None:
        """Reset the connection of the last fetch, then close its handle."""
        if self._connection is not None:
            self._libc.connect(self._connection.fileno(), _UNSPECIFIED_ADDRESS, len(_UNSPECIFIED_ADDRESS))
            self._connection.close()
            self._connection = None
        if self._curl is not None:
            self._curl.close()
            self._curl = None

    def log_keys(self) -> None:
        """Log the secrets of every connection from now on, in a file that no other user may read."""
        descriptor, name = tempfile.mkstemp(prefix="pqbed-keys-")
        os.close(descriptor)
        self._key_log = Path(name)
        os.environ[KEY_LOG_VARIABLE] = name

    def take_keys(self) -> str:
        """Return the log, remove it, and stop logging."""
        self.release()
        os.environ.pop(KEY_LOG_VARIABLE, None)
        log, self._key_log = self._key_log, None
        if log is None:
            return ""
        try:
            return log.read_text()
        finally:
            log.unlink()

    def version(self) -> str:
        """Return the version line of its libcurl, with its TLS library."""
        handle = self._cffi.Curl()
        try:
            return str(handle.version().decode())
        finally:
            handle.close()

    def _perform(self, request: FetchRequest) -> tuple[Outcome, str]:
        self.release()
        self._headers, self._body_bytes = [], 0
        option = self._cffi.CurlOpt
        curl = self._curl = self._open()
        with tempfile.NamedTemporaryFile(prefix="root-", suffix=".pem") as root:
            root.write(request.root_pem.encode())
            root.flush()
            authority = f"{request.server_name}:{request.port}"
            timeout_ms = -(-request.timeout_ns // NS_PER_MS)
            curl.setopt(option.URL, f"https://{authority}/{request.size_bytes}")
            curl.setopt(option.RESOLVE, [f"{authority}:{request.address}"])
            curl.setopt(option.CAINFO, root.name)
            curl.setopt(option.TIMEOUT_MS, timeout_ms)
            curl.setopt(option.CONNECTTIMEOUT_MS, timeout_ms)
            self._handshake.begin()
            try:
                curl.perform()
            except self._cffi.CurlError as error:
                return _OUTCOMES.get(int(error.code), "reset"), f"curl {int(error.code)}: {error}"
        return "ok", ""

    def _open(self) -> Any:
        """Return a handle that sends the browser's hello."""
        option = self._cffi.CurlOpt
        curl = self._cffi.Curl()
        if curl.impersonate(self._browser, default_headers=False):
            raise HostError(f"curl_cffi knows no browser {self._browser}", DAMAGED_HINT)
        curl.setopt(option.HTTP_VERSION, _HTTP_1_1)
        curl.setopt(option.NOSIGNAL, 1)
        curl.setopt(option.PROXY, "")
        curl.setopt(option.USERAGENT, "pqbed")
        curl.setopt(option.WRITEFUNCTION, self._count)
        curl.setopt(option.HEADERFUNCTION, self._take_header)
        curl.setopt(option.VERBOSE, 1)
        curl.setopt(option.DEBUGFUNCTION, self._handshake)
        return curl

    def _count(self, data: bytes) -> int:
        self._body_bytes += len(data)
        return len(data)

    def _take_header(self, data: bytes) -> int:
        self._headers.append(data)
        return len(data)

    def _judge(self, request: FetchRequest, outcome: Outcome, detail: str) -> Timings:
        info = self._cffi.CurlInfo
        group, _ = read_group_header(self._header())
        status = self._curl.getinfo(info.RESPONSE_CODE) or None
        retried = self._handshake.retry_ns is not None if self._handshake.answered else None
        if outcome == "ok":
            http = _HTTP_VERSIONS.get(self._curl.getinfo(info.HTTP_VERSION))
            outcome, detail = judge(request, status, self._body_bytes, (group,), retried=retried, http=http)
        descriptor = self._curl.getinfo(info.ACTIVESOCKET)
        self._connection = socket.socket(fileno=os.dup(descriptor)) if descriptor >= 0 else None
        tcp = read_tcp_info(self._connection) if self._connection else TcpInfo()
        return Timings(
            outcome=outcome,
            detail=detail,
            tcp_connect_ns=self._time_ns(info.CONNECT_TIME_T),
            tls_done_ns=self._time_ns(info.APPCONNECT_TIME_T),
            first_byte_ns=self._time_ns(info.STARTTRANSFER_TIME_T),
            last_byte_ns=self._time_ns(info.TOTAL_TIME_T) if outcome in ("ok", "wrong_group") else None,
            body_bytes=self._body_bytes,
            http_status=status,
            group=group,
            signature=request.signature if self._time_ns(info.APPCONNECT_TIME_T) else None,
            retransmits=tcp.retransmits,
            lost=tcp.lost,
            tcp_rtt_ns=tcp.rtt_ns,
            cwnd=tcp.cwnd,
            hello_retry=retried,
            hello_retry_ns=self._handshake.retry_ns,
        )

    def _time_ns(self, phase: Any) -> int | None:
        return int(self._curl.getinfo(phase)) * NS_PER_US or None

    def _header(self) -> str | None:
        wanted = GROUP_HEADER.lower().encode()
        for line in self._headers:
            key, _, value = line.partition(b":")
            if key.strip().lower() == wanted:
                return value.strip().decode("latin-1")
        return None

    def _look_at_hello(self) -> HelloOffer:
        """Send one hello over loopback to who does not answer, and read what it offers."""
        if self._offer is None:
            option = self._cffi.CurlOpt
            with socket.create_server(("127.0.0.1", 0)) as listener:
                curl = self._open()
                curl.setopt(option.URL, f"https://127.0.0.1:{listener.getsockname()[1]}/")
                curl.setopt(option.TIMEOUT_MS, _PROBE_TIMEOUT_MS)
                self._offer = _read_hello(listener, curl, self._cffi.CurlError)
        return self._offer


def _read_hello(listener: socket.socket, curl: Any, error: type[Exception]) -> HelloOffer:
    seen = bytearray()

    def read() -> None:
        connection, _ = listener.accept()
        with connection:
            while not whole_hello(seen) and (data := connection.recv(_HELLO_BYTES)):
                seen.extend(data)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    with contextlib.suppress(error):  # nobody answers
        curl.perform()
    curl.close()
    thread.join()
    return read_offer(bytes(seen))


def _load(files: str) -> Any:
    if files not in sys.path:
        sys.path.append(files)
    try:
        return importlib.import_module("curl_cffi")
    except ImportError as error:
        raise HostError(f"curl_cffi cannot be loaded: {error}", DAMAGED_HINT) from error
