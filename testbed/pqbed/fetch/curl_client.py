"""libcurl client: one handle for the fetches of a lane, over TCP or QUIC.

After a fetch the connection is kept open and idle until `release`: the lane first takes the link away, so that no late
packet of one fetch, not even of its closing, meets the next. One over TCP is then reset; one over QUIC, whose server
would probe for it, is closed.
"""

import contextlib
import ctypes
import errno
import os
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pycurl

from pqbed.errors import HostError
from pqbed.fetch.fetch_outcome import failed_before, judge, read_group_header
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.fetch.fewer_calls import FewerCalls
from pqbed.fetch.handshake_log import HandshakeLog
from pqbed.fetch.key_log import KEY_LOG_VARIABLE
from pqbed.fetch.memory_file import MemoryFile
from pqbed.fetch.quic_log import QuicInfo, QuicLog
from pqbed.fetch.tcp_info import NO_TCP_INFO, read_tcp_info
from pqbed.spec.connection import FULL, ConnectionKind
from pqbed.spec.profile import mark_shares
from pqbed.spec.sample import Outcome, Timings
from pqbed.spec.workload import Http
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.group_names import GROUP_HEADER
from pqbed.units import NS_PER_MS, NS_PER_S, NS_PER_US

# struct sockaddr of family AF_UNSPEC: connecting to it resets the connection (connect(2)).
_UNSPECIFIED_ADDRESS = bytes(16)

# CURLE_QUIC_CONNECT_ERROR of include/curl/curl.h, which pycurl has no name for.
_QUIC_CONNECT_ERROR = 96
# CURLE_SSL_INVALIDCERTSTATUS: no OCSP response came, or one that does not hold.
_INVALID_STATUS = 91

_OUTCOMES: dict[int, Outcome] = {
    pycurl.E_OPERATION_TIMEDOUT: "timeout",
    pycurl.E_COULDNT_CONNECT: "refused",
    pycurl.E_SSL_CONNECT_ERROR: "tls_error",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls_error",
    pycurl.E_SSL_CERTPROBLEM: "tls_error",
    pycurl.E_SSL_CIPHER: "tls_error",
    _INVALID_STATUS: "tls_error",
    _QUIC_CONNECT_ERROR: "tls_error",
    pycurl.E_RECV_ERROR: "reset",
    pycurl.E_SEND_ERROR: "reset",
    pycurl.E_GOT_NOTHING: "reset",
    pycurl.E_PARTIAL_FILE: "short_body",
}


@dataclass(frozen=True, slots=True)
class _HttpVersion:
    """What asks libcurl for a version of HTTP, and what it says of a response by that version."""

    option: int
    answer: int


_HTTP_VERSIONS: dict[Http, _HttpVersion] = {
    "1.1": _HttpVersion(pycurl.CURL_HTTP_VERSION_1_1, pycurl.CURL_HTTP_VERSION_1_1),
    "2": _HttpVersion(pycurl.CURL_HTTP_VERSION_2TLS, pycurl.CURL_HTTP_VERSION_2_0),
    "3": _HttpVersion(pycurl.CURL_HTTP_VERSION_3ONLY, pycurl.CURL_HTTP_VERSION_3),
}

_FEATURES: dict[Http, int] = {"2": pycurl.VERSION_HTTP2, "3": pycurl.VERSION_HTTP3}

# libcurl's own names the versions of all its libraries. Requests have one length with every version: the packet model
# counts on it (model/message_sizes.py), and arms with different software are compared.
_USER_AGENT = "pqbed".ljust(177, ".")

# What a server needs to take in the end of a connection over QUIC, over a link without delay.
_CLOSE_S = 0.005


class CurlClient:
    """Owns a libcurl handle and, between `fetch` and `release`, the socket of the last fetch."""

    def __init__(self) -> None:
        if "OpenSSL/" not in pycurl.version:
            raise HostError(f"pycurl is linked to another TLS library than OpenSSL: {pycurl.version}")
        self._curl = pycurl.Curl()
        self._headers: list[bytes] = []
        self._body_bytes = 0
        self._connection: socket.socket | None = None
        self._opened = False
        self._share: Any = None
        self._early = False
        self._shown = ""
        self._handshake = HandshakeLog()
        self._quic_log = QuicLog()
        self._credentials: dict[str, tuple[MemoryFile, MemoryFile]] = {}
        self._libc = ctypes.CDLL(None)
        self._fewer_calls = FewerCalls()
        self._set_constant_options()

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        """Keep the credentials that requests of mutual profiles name."""
        for files in self._credentials.values():
            for file in files:
                file.close()
        self._credentials = {
            credential.profile: (MemoryFile(credential.chain_pem), MemoryFile(credential.key_pem))
            for credential in credentials
        }

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch. A failure is a result, not an exception."""
        if not _speaks(request.http):
            return Timings(outcome="unsupported", detail=f"this libcurl does not speak HTTP/{request.http}")
        self._forget_credentials(request)
        if request.connection.kind == "reused":
            return self._fetch_again(request)
        try:
            return self._perform(request)
        finally:
            self._forget_session()

    def prime(self, request: FetchRequest) -> Timings:
        """Do the fetch whose ticket the next one, `request`, resumes, and close its connection."""
        self._forget_credentials(request)
        self._keep_session(request.connection.kind)
        timings = self._perform(replace(request, connection=FULL))
        self.release()
        return timings

    def _fetch_again(self, request: FetchRequest) -> Timings:
        """Do a fetch, and after the idle time the one that is measured, on the same connection."""
        first = self._perform(replace(request, connection=FULL))
        if first.outcome != "ok":
            return failed_before(first, "request")
        time.sleep(request.connection.idle_ns / NS_PER_S)
        self._curl.setopt(pycurl.FRESH_CONNECT, 0)
        try:
            return self._perform(request)
        finally:
            self._curl.setopt(pycurl.FRESH_CONNECT, 1)

    def _perform(self, request: FetchRequest) -> Timings:
        self._headers.clear()
        if request.http == "3":
            self._quic_log.clear()
        self._body_bytes = 0
        self._opened = False
        self._set_request_options(request)
        outcome: Outcome = "ok"
        detail = ""
        try:
            self._handshake.begin()
            with self._fewer_calls.during(request.timeout_ns) if request.paced else contextlib.nullcontext():
                self._curl.perform()
        except pycurl.error as error:
            code, message = error.args[:2]
            outcome, detail = _classify(code, message, self._curl.getinfo(pycurl.OS_ERRNO))
        return self._judge(request, outcome, detail)

    def release(self) -> None:
        """Reset the connection of the last fetch: the server's end dies with it and retransmits nothing."""
        if self._connection is None:
            return
        if self._connection.type == socket.SOCK_DGRAM:
            self._reopen()
            time.sleep(_CLOSE_S)
        else:
            # libcurl holds a duplicate of this descriptor, so closing ours would leave the connection open.
            self._libc.connect(self._connection.fileno(), _UNSPECIFIED_ADDRESS, len(_UNSPECIFIED_ADDRESS))
        self._connection.close()
        self._connection = None

    def log_keys(self) -> None:
        """Log the secrets of every connection from now on, in a file that no other user may read."""
        descriptor, os.environ[KEY_LOG_VARIABLE] = tempfile.mkstemp(prefix="pqbed-keys-")
        os.close(descriptor)
        self._restart()

    def take_keys(self) -> str:
        """Return the log, remove it, and stop logging."""
        log = Path(os.environ.pop(KEY_LOG_VARIABLE))
        self._restart()
        try:
            return log.read_text()
        finally:
            log.unlink()

    def version(self) -> str:
        """Return pycurl's version line, with libcurl and its TLS library."""
        return str(pycurl.version)

    def _restart(self) -> None:
        """Restart libcurl, which reads its environment only then (Curl_tls_keylog_open in lib/vtls/keylog.c)."""
        self.release()
        self._curl.close()
        pycurl.global_cleanup()
        pycurl.global_init(pycurl.GLOBAL_DEFAULT)
        self._curl = pycurl.Curl()
        self._set_constant_options()

    def _reopen(self) -> None:
        """Close the handle, and its connection with it, and open another one."""
        self._curl.close()
        self._curl = pycurl.Curl()
        self._set_constant_options()

    def _set_constant_options(self) -> None:
        curl = self._curl
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        # Never reused, but kept open: libcurl would send close_notify and FIN over the shaped link.
        curl.setopt(pycurl.MAXCONNECTS, 1)
        curl.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
        curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_3)
        curl.setopt(pycurl.SSL_VERIFYPEER, 1)
        curl.setopt(pycurl.SSL_VERIFYHOST, 2)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.USERAGENT, _USER_AGENT)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.BUFFERSIZE, 512 * 1024)
        curl.setopt(pycurl.WRITEFUNCTION, self._count)
        curl.setopt(pycurl.HEADERFUNCTION, self._headers.append)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open)
        curl.setopt(pycurl.DEBUGFUNCTION, self._handshake)

    def _keep_session(self, kind: ConnectionKind) -> None:
        """Keep the tickets that come from now on, apart from all earlier ones."""
        self._forget_session()
        self._share = pycurl.CurlShare()
        self._share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_SSL_SESSION)
        self._curl.setopt(pycurl.SHARE, self._share)
        self._curl.setopt(pycurl.SSL_SESSIONID_CACHE, 1)
        # Early data needs to know the protocol (RFC 8446, 4.2.10): libcurl sends none without ALPN, and none by a
        # ticket that came without.
        self._early = kind == "early"
        if self._early:
            self._curl.setopt(pycurl.SSL_OPTIONS, pycurl.SSLOPT_EARLYDATA)

    def _forget_session(self) -> None:
        if self._share is None:
            return
        self._curl.unsetopt(pycurl.SHARE)
        self._share, self._early = None, False
        for option in (pycurl.SSL_SESSIONID_CACHE, pycurl.SSL_OPTIONS):
            self._curl.setopt(option, 0)

    def _set_request_options(self, request: FetchRequest) -> None:
        curl = self._curl
        authority = f"{request.server_name}:{request.port}"
        timeout_ms = -(-request.timeout_ns // NS_PER_MS)
        curl.setopt(pycurl.URL, f"https://{authority}/{request.size_bytes}")
        curl.setopt(pycurl.RESOLVE, [f"{authority}:{request.address}"])
        curl.setopt(pycurl.HTTP_VERSION, _HTTP_VERSIONS[request.http].option)
        curl.setopt(pycurl.SSL_ENABLE_ALPN, request.alpn or request.http != "1.1" or self._early)
        curl.setopt(pycurl.SSL_VERIFYSTATUS, int(request.staple))
        curl.setopt(pycurl.TCP_FASTOPEN, int(request.fast_open))
        groups = mark_shares(request.groups, request.shares) if len(request.groups) > 1 else request.group
        curl.setopt(pycurl.SSL_EC_CURVES, groups)
        # It tells of handshakes only then.
        curl.setopt(pycurl.VERBOSE, int(self._share is not None or len(request.groups) > 1))
        curl.setopt(pycurl.CAINFO_BLOB, request.root_pem.encode())
        self._set_credentials(request.credentials)
        curl.setopt(pycurl.TIMEOUT_MS, timeout_ms)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, timeout_ms)

    def _set_credentials(self, name: str) -> None:
        self._shown = name
        if name:
            # By name: libcurl finds no session again of a certificate that it was given as a blob (vtls_scache.c).
            chain, key = self._credentials[name]
            self._curl.setopt(pycurl.SSLCERT, chain.path)
            self._curl.setopt(pycurl.SSLKEY, key.path)

    def _forget_credentials(self, request: FetchRequest) -> None:
        """Take a handle without any if `request` has none: pycurl has no way to unset these options."""
        if self._shown and not request.credentials:
            self._reopen()
            self._shown = ""

    def _count(self, data: bytes) -> None:
        self._body_bytes += len(data)

    def _open(self, _purpose: int, address: tuple[int, int, int, object]) -> socket.socket:
        self.release()
        self._opened = True
        self._connection = socket.socket(*address[:3])
        return self._connection

    def _judge(self, request: FetchRequest, outcome: Outcome, detail: str) -> Timings:
        group, session = read_group_header(self._header(GROUP_HEADER))
        status = self._curl.getinfo(pycurl.RESPONSE_CODE) or None
        retried = self._retried(request)
        info = NO_TCP_INFO
        if self._connection is not None and self._connection.type == socket.SOCK_STREAM:
            info = read_tcp_info(self._connection)
        if outcome == "ok":
            seen = self._seen(request, session)
            outcome, detail = judge(
                request,
                status,
                self._body_bytes,
                (group,),
                connections=seen,
                http=self._http(),
                retried=retried,
                info=info,
            )
        quic = self._quic_log.read() if request.http == "3" else QuicInfo()
        return Timings(
            outcome=outcome,
            detail=detail,
            # Over QUIC it is when the first Initial left, in this version of libcurl.
            tcp_connect_ns=self._time_ns(pycurl.CONNECT_TIME_T) if request.http != "3" else None,
            tls_done_ns=self._time_ns(pycurl.APPCONNECT_TIME_T),
            first_byte_ns=self._time_ns(pycurl.STARTTRANSFER_TIME_T),
            last_byte_ns=self._time_ns(pycurl.TOTAL_TIME_T) if outcome in ("ok", "wrong_group") else None,
            body_bytes=self._body_bytes,
            http_status=status,
            group=group,
            signature=request.signature if self._time_ns(pycurl.APPCONNECT_TIME_T) else None,
            retransmits=info.retransmits,
            lost=info.lost,
            tcp_rtt_ns=info.rtt_ns,
            cwnd=info.cwnd,
            hello_retry=retried,
            hello_retry_ns=self._handshake.retry_ns,
            quic_initials=quic.initials,
            quic_unvalidated_bytes=quic.unvalidated_bytes,
            quic_blocked_ns=quic.blocked_ns,
            quic_lost=quic.lost,
            quic_rtt_ns=quic.rtt_ns,
            quic_cwnd_bytes=quic.cwnd_bytes,
        )

    def _retried(self, request: FetchRequest) -> bool | None:
        """Return whether the server asked for another hello; None where it could not, or had not answered yet."""
        if len(request.groups) < 2 or not self._opened or not self._handshake.answered:
            return None
        return self._handshake.retry_ns is not None

    def _http(self) -> Http | None:
        """Return the version that the response came by."""
        by = self._curl.getinfo(pycurl.INFO_HTTP_VERSION)
        return next((version for version, known in _HTTP_VERSIONS.items() if known.answer == by), None)

    def _seen(self, request: FetchRequest, session: ConnectionKind | None) -> dict[str, ConnectionKind | None]:
        """Return what kind of connection it was, by who says so: nobody of a full one, where there are no sessions."""
        match request.connection.kind:
            case "full":
                return {}
            case "reused":
                return {"client": None if self._opened else "reused"}
            case _:
                return {"client": self._handshake.connection(), "server": session}

    def _time_ns(self, phase: int) -> int | None:
        # libcurl counts in microseconds, and reports 0 for a phase that was not reached.
        return self._curl.getinfo(phase) * NS_PER_US or None

    def _header(self, name: str) -> str | None:
        wanted = name.lower().encode()
        for line in self._headers:
            key, _, value = line.partition(b":")
            if key.strip().lower() == wanted:
                return value.strip().decode("latin-1")
        return None


def _speaks(http: Http) -> bool:
    return http == "1.1" or bool(pycurl.version_info()[4] & _FEATURES[http])


def _classify(code: int, message: str, os_errno: int) -> tuple[Outcome, str]:
    if code == pycurl.E_COULDNT_CONNECT and os_errno == errno.ETIMEDOUT:
        return "timeout", "the kernel gave up connecting"
    # An error without an outcome of its own (a protocol error, for example) broke the connection off.
    return _OUTCOMES.get(code, "reset"), f"curl {code}: {message or os.strerror(os_errno)}"
