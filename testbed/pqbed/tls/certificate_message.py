"""The TLS 1.3 Certificate message around its certificates."""

from collections.abc import Iterable

# The handshake header, the length of the context, that of the list; before each certificate its length, after it that
# of its extensions (RFC 8446 4, 4.4.2).
_AROUND_ALL_BYTES, _AROUND_EACH_BYTES = 4 + 1 + 3, 3 + 2


def certificate_message_size(der_sizes: Iterable[int]) -> int:
    """Return the size of the message that carries certificates of these sizes, without extensions."""
    return _AROUND_ALL_BYTES + sum(_AROUND_EACH_BYTES + size for size in der_sizes)
