"""Handshake as libcurl tells it: which messages came, and what became of early data (CURLOPT_DEBUGFUNCTION)."""

from pqbed.spec.connection import ConnectionKind

# curl_infotype of include/curl/curl.h, and HandshakeType of RFC 8446, 4.
_TEXT, _MESSAGE_IN = 0, 5
_SERVER_HELLO, _CERTIFICATE, _COMPRESSED_CERTIFICATE = b"\x02", b"\x0b", b"\x19"
_EARLY_ACCEPTED = b"Server accepted "


class HandshakeLog:
    """Collects what libcurl says of the handshakes since the last `clear`."""

    def __init__(self) -> None:
        self._types: set[bytes] = set()
        self._early = False

    def clear(self) -> None:
        self._types.clear()
        self._early = False

    def __call__(self, kind: int, data: bytes) -> None:
        if kind == _MESSAGE_IN:
            self._types.add(data[:1])
        elif kind == _TEXT and data.startswith(_EARLY_ACCEPTED):
            self._early = True

    def connection(self) -> ConnectionKind | None:
        """Return the kind of connection that the messages make; None without any handshake."""
        if self._early:
            return "early"
        if _SERVER_HELLO not in self._types:
            return None
        return "full" if self._types & {_CERTIFICATE, _COMPRESSED_CERTIFICATE} else "resumed"
