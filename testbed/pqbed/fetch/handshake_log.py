"""Handshake as libcurl tells it: which messages came, and what became of early data (CURLOPT_DEBUGFUNCTION)."""

import time

from pqbed.spec.connection import ConnectionKind
from pqbed.tls.tls_records import is_retry_message

# curl_infotype of include/curl/curl.h, and HandshakeType of RFC 8446, 4.
_TEXT, _MESSAGE_IN = 0, 5
_SERVER_HELLO, _CERTIFICATE, _COMPRESSED_CERTIFICATE = b"\x02", b"\x0b", b"\x19"
_EARLY_ACCEPTED = b"Server accepted "


class HandshakeLog:
    """Collects what libcurl says of the handshakes since the last `begin`."""

    def __init__(self) -> None:
        self._types: set[bytes] = set()
        self._early = False
        self._begun_ns = 0
        self.retry_ns: int | None = None

    def begin(self) -> None:
        """Forget all; `retry_ns`, when a HelloRetryRequest was there, counts from here."""
        self._types.clear()
        self._early = False
        self.retry_ns = None
        self._begun_ns = time.monotonic_ns()

    def __call__(self, kind: int, data: bytes) -> None:
        if kind == _MESSAGE_IN:
            self._types.add(data[:1])
            if is_retry_message(data):
                self.retry_ns = time.monotonic_ns() - self._begun_ns
        elif kind == _TEXT and data.startswith(_EARLY_ACCEPTED):
            self._early = True

    @property
    def answered(self) -> bool:
        """Return whether the server has answered a ClientHello."""
        return _SERVER_HELLO in self._types

    def connection(self) -> ConnectionKind | None:
        """Return the kind of connection that the messages make; None without any handshake."""
        if self._early:
            return "early"
        if not self.answered:
            return None
        return "full" if self._types & {_CERTIFICATE, _COMPRESSED_CERTIFICATE} else "resumed"
