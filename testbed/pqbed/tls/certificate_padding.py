"""Certificate padding: an additional extension that gives a chain the size of another algorithm's.

The method of the published study. The extension is not critical, so verifiers ignore it.
"""

# netscape-comment: free text that no verifier acts on. Its arcs fit into 32 bits; Go (crypto/x509) and Botan refuse
# certificates with an arc as long as that of an OID made from a UUID (ITU-T X.667).
EXTENSION_OID = "2.16.840.1.113730.1.13"
# An extension without any padding in it: its OID (9 bytes), four headers, and the lengths above it, which may grow.
EMPTY_EXTENSION_BYTES = 30


def padding_extension(content_bytes: int) -> dict[str, str]:
    """Return the extension that holds `content_bytes` of padding, in the syntax of openssl; none for 0."""
    return {EXTENSION_OID: f"ASN1:IA5STRING:{'0' * content_bytes}"} if content_bytes else {}


def split_padding(missing_bytes: int, certificates: int) -> tuple[int, ...]:
    """Split `missing_bytes` evenly over the certificates, as contents of their extensions.

    The first, the leaf, takes the remainder. If there is too little for all, only the leaf is padded.
    """
    carriers = certificates if missing_bytes >= 2 * certificates * EMPTY_EXTENSION_BYTES else 1
    share, rest = divmod(missing_bytes - carriers * EMPTY_EXTENSION_BYTES, carriers)
    shares = [share + rest] + [share] * (carriers - 1)
    return tuple(max(1, content) for content in shares) + (0,) * (certificates - carriers)
