"""Sizes of the TLS 1.3 messages and HTTP headers of a fetch, before any server has been asked.

Those of OpenSSL's default stack with AES-256-GCM and SHA-384, which it chooses first, of libcurl's request and nginx's
response, over HTTP/1.1: RFC 8446 and bytes counted on the wire (tests/bed/test_wire_sizes.py). Key shares and
signatures are those of the standards (tls/published_algorithms.py). Sizes are of whole records, header and tag
included, except where a function says otherwise.
"""

import functools
from collections.abc import Sequence

from pqbed.spec.profile import Chain, ChainCertificate, Profile
from pqbed.tls.group_names import canonical_group
from pqbed.tls.ocsp_response import status_bytes
from pqbed.tls.published_algorithms import SignatureAlgorithm, published_groups, published_signatures
from pqbed.tls.sct_extension import sct_extension_bytes
from pqbed.tls.tls_records import HEADER_BYTES, SEALING_BYTES

# The most content that a record carries, and what encryption adds to it.
RECORD_CONTENT_BYTES = 16_384
SEAL_BYTES = HEADER_BYTES + SEALING_BYTES

CHANGE_CIPHER_SPEC_BYTES = 6
_ENCRYPTED_EXTENSIONS_BYTES = SEAL_BYTES + 10
# It names one scheme for the chain and for the proof, and one authority.
CERTIFICATE_REQUEST_BYTES = SEAL_BYTES + 53
FINISHED_BYTES = SEAL_BYTES + 4 + 48

# With one group, without its key share. OpenSSL offers point formats with classical curves only.
_CLIENT_HELLO_BYTES, _POINT_FORMATS_BYTES = 212, 8
# Of each further group, and around each further share (RFC 8446, 4.2.7 and 4.2.8); around a list of groups.
_GROUP_BYTES, _SHARE_BYTES, _GROUPS_BYTES = 2, 4, 6
# status_request without responders (RFC 6066, 8); ALPN with http/1.1 alone, of either side (RFC 7301, 3.1).
_STATUS_REQUEST_BYTES, _ALPN_BYTES = 9, 15
# Messages of 256 to 511 bytes are padded to 512, as some old servers hang at those (tls_construct_ctos_padding).
_PADDED_FROM, _PADDED_TO, _PADDING_BYTES = 256, 512, 4
_SERVER_HELLO_BYTES = 95
# A ServerHello whose key share is the name of a group alone.
HELLO_RETRY_BYTES = _SERVER_HELLO_BYTES - 2
# A certificate without its key and its signature, roughly; CertificateVerify without its signature.
_CERTIFICATE_BYTES = 350
_VERIFY_BYTES = 8
# Without the digits of the size, which the path, Content-Length and (in base 16) ETag have.
_REQUEST_BYTES, _RESPONSE_HEADER_BYTES = 274, 270

# An algorithm that is not in the tables of the standards is taken for the most common one.
_DEFAULT_GROUP, _DEFAULT_KEY = "x25519", "p256"


def client_hello_bytes(profile: Profile, shares: Sequence[str]) -> int:
    """Return the size of a ClientHello of `profile`, with key shares of `shares`."""
    groups = profile.offered
    point_formats = 0 if all("mlkem" in group.lower() for group in groups) else _POINT_FORMATS_BYTES
    more = _GROUP_BYTES * (len(groups) - 1) + _SHARE_BYTES * (len(shares) - 1)
    more += _STATUS_REQUEST_BYTES * profile.chain.ocsp + _ALPN_BYTES * profile.alpn
    message = _CLIENT_HELLO_BYTES - HEADER_BYTES + point_formats + more + sum(_key_shares(group)[0] for group in shares)
    if _PADDED_FROM <= message < _PADDED_TO:
        message = max(_PADDED_TO, message + _PADDING_BYTES)
    return message + HEADER_BYTES


def encrypted_extensions_bytes(profile: Profile) -> int:
    """Return the size of EncryptedExtensions, which list a server's groups where it would rather have had another."""
    listed = 0 if profile.accepted[0] == profile.group else _GROUPS_BYTES + _GROUP_BYTES * len(profile.accepted)
    return _ENCRYPTED_EXTENSIONS_BYTES + listed + _ALPN_BYTES * profile.alpn


def server_hello_bytes(group: str) -> int:
    return _SERVER_HELLO_BYTES + _key_shares(group)[1]


def certificate_message_bytes(chain: Chain) -> int:
    """Return about the size of the Certificate message that carries `chain`, without its records' headers and tags."""
    status = status_bytes(chain, signature_bytes(chain.issuers[0]))
    if chain.wire_bytes is not None:
        return chain.wire_bytes + status
    pairs = zip(chain.sent, chain.issuers, strict=True)
    return status + sct_extension_bytes(chain) + sum(_certificate_bytes(sent, issuer) for sent, issuer in pairs)


def certificate_verify_bytes(algorithm: str) -> int:
    return SEAL_BYTES + _VERIFY_BYTES + signature_bytes(algorithm)


def request_bytes(size_bytes: int) -> int:
    """Return the size of the request for a body of `size_bytes`."""
    return _REQUEST_BYTES + len(str(size_bytes))


def response_bytes(size_bytes: int) -> int:
    """Return the size of the response's header and its body of `size_bytes`, not yet in records."""
    return _RESPONSE_HEADER_BYTES + len(f"{size_bytes}{size_bytes:x}") + size_bytes


def signature_bytes(algorithm: str) -> int:
    """Return the size of a signature by `algorithm`, the longest one where it varies (ECDSA)."""
    return _signature(algorithm).signature_bytes


def has_known_sizes(profile: Profile) -> bool:
    """Tell whether the tables of the standards have the key shares and the signatures of `profile`."""
    chains = [chain for chain in (profile.chain, profile.clients_chain) if chain is not None]
    algorithms = {_plain(chain.algorithm) for chain in chains}
    groups = set(map(canonical_group, (profile.group, *profile.key_shares)))
    return groups <= published_groups().keys() and algorithms <= _signatures().keys()


def _key_shares(group: str) -> tuple[int, int]:
    """Return the sizes of the client's and the server's key share."""
    groups = published_groups()
    published = groups.get(canonical_group(group), groups[_DEFAULT_GROUP])
    return published.public_key_bytes, published.ciphertext_bytes


def _certificate_bytes(certificate: ChainCertificate, issuer: str) -> int:
    if certificate.der_bytes is not None:
        return certificate.der_bytes
    return _CERTIFICATE_BYTES + _public_key_bytes(certificate.algorithm) + signature_bytes(issuer)


def _public_key_bytes(algorithm: str) -> int:
    return _signature(algorithm).public_key_bytes


def _signature(algorithm: str) -> SignatureAlgorithm:
    signatures = _signatures()
    return signatures.get(_plain(algorithm), signatures[_DEFAULT_KEY])


@functools.cache
def _signatures() -> dict[str, SignatureAlgorithm]:
    signatures = published_signatures().values()
    return {_plain(name): signature for signature in signatures for name in (signature.name, signature.key)}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
