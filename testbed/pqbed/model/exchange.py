"""What both sides write into the connection, write by write: most writes end in a short segment.

Sizes are those of RFC 8446 with AES-256-GCM and SHA-384, which OpenSSL chooses first, and of what libcurl and nginx say
(counted from packets, docs/design/dd-009-expectation.md).
"""

from dataclasses import dataclass

from pqbed.errors import SpecError
from pqbed.model.floor import RECORD_CONTENT_BYTES
from pqbed.model.sizes import key_shares, signature_bytes, typical_certificate_bytes
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Chain, Profile
from pqbed.tls.records import HEADER_BYTES, SEALING_BYTES

# OpenSSL gathers a flight in a buffer of this size, and empties it when it is full (crypto/bio/bf_buff.c).
FLIGHT_BUFFER_BYTES = 4096

_SEAL_BYTES = HEADER_BYTES + SEALING_BYTES
_CHANGE_CIPHER_SPEC_BYTES = 6
# Records without key shares. The point formats are offered with classical curves only.
_CLIENT_HELLO_BYTES, _POINT_FORMATS_BYTES = 212, 8
_SERVER_HELLO_BYTES = 95
_ENCRYPTED_EXTENSIONS_BYTES = _SEAL_BYTES + 10
_FINISHED_BYTES = _SEAL_BYTES + 4 + 48
# A CertificateRequest that names one scheme for the chain and for the proof, and one authority.
_CERTIFICATE_REQUEST_BYTES = _SEAL_BYTES + 53
_VERIFY_BYTES = 8
# Without the digits of the size, which the path, Content-Length and (in base 16) ETag have.
_REQUEST_BYTES, _RESPONSE_HEADER_BYTES = 274, 270


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Payload bytes of a fetch as they are written. Nothing of the response is seen until its first record is whole."""

    client_hello: tuple[int, ...]
    server_flight: tuple[int, ...]
    client_flight: tuple[int, ...]
    response: tuple[int, ...]

    @property
    def first_record_bytes(self) -> int:
        return self.response[0]

    @property
    def server_bytes(self) -> int:
        return sum(self.server_flight)

    @property
    def client_bytes(self) -> int:
        return sum(self.client_hello) + sum(self.client_flight)


def exchange_of(
    cell: Cell, certificate_bytes: int | None = None, client_certificate_bytes: int | None = None
) -> Exchange:
    """Return the writes of a fetch in `cell`. Certificate messages not known are of typical size.

    Raises SpecError for another HTTP than 1.1: it frames, asks and answers otherwise.
    """
    if cell.workload.http != "1.1":
        raise SpecError(f"the expectation does not know HTTP/{cell.workload.http}", "explain cells with HTTP/1.1")
    profile = cell.profile
    client_share, server_share = key_shares(profile.group)
    point_formats = 0 if "mlkem" in profile.group.lower() else _POINT_FORMATS_BYTES
    size_bytes = cell.workload.size_bytes
    before = [_SERVER_HELLO_BYTES + server_share, _CHANGE_CIPHER_SPEC_BYTES, _ENCRYPTED_EXTENSIONS_BYTES]
    asked = [_CERTIFICATE_REQUEST_BYTES] if profile.mutual else []
    return Exchange(
        client_hello=(_CLIENT_HELLO_BYTES + point_formats + client_share,),
        server_flight=buffered([*before, *asked, *_proof(profile.chain, certificate_bytes), _FINISHED_BYTES]),
        client_flight=(*_client_flight(profile, client_certificate_bytes), _REQUEST_BYTES + len(str(size_bytes))),
        response=tuple(sealed(_RESPONSE_HEADER_BYTES + len(f"{size_bytes}{size_bytes:x}") + size_bytes)),
    )


def buffered(records: list[int], room: int = FLIGHT_BUFFER_BYTES) -> tuple[int, ...]:
    """Return the writes that OpenSSL makes of a flight: full buffers, what is longer than one at once, and the rest."""
    writes: list[int] = []
    held = 0
    for record in records:
        rest = record
        if held and held + rest > room:
            writes.append(room)
            rest -= room - held
            held = 0
        if rest >= room:
            writes.append(rest)
            rest = 0
        held += rest
    return (*writes, held) if held else tuple(writes)


def sealed(content_bytes: int) -> list[int]:
    """Return the records that carry `content_bytes`; nginx too fills them to the brim (ssl_buffer_size 16k)."""
    full, rest = divmod(content_bytes, RECORD_CONTENT_BYTES)
    return [RECORD_CONTENT_BYTES + _SEAL_BYTES] * full + ([rest + _SEAL_BYTES] if rest else [])


def _client_flight(profile: Profile, certificate_bytes: int | None) -> tuple[int, ...]:
    chain = profile.clients_chain
    proof = [] if chain is None else _proof(chain, certificate_bytes)
    return buffered([_CHANGE_CIPHER_SPEC_BYTES, *proof, _FINISHED_BYTES])


def _proof(chain: Chain, certificate_bytes: int | None) -> list[int]:
    """Return the records of Certificate and CertificateVerify."""
    message = typical_certificate_bytes(chain) if certificate_bytes is None else certificate_bytes
    return [*sealed(message), _SEAL_BYTES + _VERIFY_BYTES + signature_bytes(chain.algorithm)]
