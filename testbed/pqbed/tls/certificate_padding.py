"""Certificate padding: an additional extension that gives a chain the size of another algorithm's.

The method of the published study. The extension is not critical, so verifiers ignore it.
"""

# ITU-T X.667: an OID below 2.25 made from a UUID (05c9000c-eaac-44a0-9f8f-6594aa5a3773) is nobody else's.
EXTENSION_OID = "2.25.7689792670855781512091585478041155443"
# An extension without any padding in it: its OID, four headers, and the lengths above it, which may grow.
EMPTY_EXTENSION_BYTES = 40


def padding_extension(content_bytes: int) -> dict[str, str]:
    """Return the extension that holds `content_bytes` of padding, in the syntax of openssl; none for 0."""
    return {EXTENSION_OID: f"ASN1:UTF8String:{'0' * content_bytes}"} if content_bytes else {}


def split_padding(missing_bytes: int, certificates: int) -> tuple[int, ...]:
    """Split `missing_bytes` evenly over the certificates, as contents of their extensions.

    The first, the leaf, takes the remainder. If there is too little for all, only the leaf is padded.
    """
    carriers = certificates if missing_bytes >= 2 * certificates * EMPTY_EXTENSION_BYTES else 1
    share, rest = divmod(missing_bytes - carriers * EMPTY_EXTENSION_BYTES, carriers)
    shares = [share + rest] + [share] * (carriers - 1)
    return tuple(max(1, content) for content in shares) + (0,) * (certificates - carriers)
