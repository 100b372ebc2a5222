"""The bytes of a fetch as both sides write them into the connection: most writes end in a short segment.

Sizes are those of `sizes`; how they are gathered into writes was seen in packets (docs/design/dd-009-expectation.md).
"""

from dataclasses import dataclass

from pqbed.errors import SpecError
from pqbed.model.message_sizes import (
    CERTIFICATE_REQUEST_BYTES,
    CHANGE_CIPHER_SPEC_BYTES,
    FINISHED_BYTES,
    HELLO_RETRY_BYTES,
    RECORD_CONTENT_BYTES,
    SEAL_BYTES,
    certificate_message_bytes,
    certificate_verify_bytes,
    client_hello_bytes,
    encrypted_extensions_bytes,
    has_known_sizes,
    request_bytes,
    response_bytes,
    server_hello_bytes,
)
from pqbed.spec.cell import Cell
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.stacks import known_stacks
from pqbed.tls.wire_sizes import WireSizes

# OpenSSL gathers a flight in a buffer of this size, and empties it when it is full (crypto/bio/bf_buff.c).
FLIGHT_BUFFER_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Payload bytes of a fetch as they are written. Nothing of the response is seen until its first record is whole.

    `tickets` are written as soon as the handshake is done, before the response, or behind one to early data. The
    last `early_bytes` of `client_hello` are the request as early data, which then is not in `client_flight`. Of several
    `requests` of one connection, each comes `idle_ns` after the response to the one before. A HelloRetryRequest,
    `retry`, is answered by `second_hello`.
    """

    client_hello: tuple[int, ...]
    server_flight: tuple[int, ...]
    client_flight: tuple[int, ...]
    response: tuple[int, ...]
    tickets: tuple[int, ...] = ()
    early_bytes: int = 0
    requests: int = 1
    idle_ns: int = 0
    retry: tuple[int, ...] = ()
    second_hello: tuple[int, ...] = ()

    @property
    def hello_bytes(self) -> int:
        return sum(self.client_hello) - self.early_bytes

    @property
    def server_bytes(self) -> int:
        return sum(self.server_flight)

    @property
    def client_bytes(self) -> int:
        return sum(self.client_hello) + self.second_hello_bytes + sum(self.client_flight)

    @property
    def retry_bytes(self) -> int:
        return sum(self.retry)

    @property
    def second_hello_bytes(self) -> int:
        return sum(self.second_hello)


def exchange_of(
    cell: Cell, certificate_bytes: int | None = None, client_certificate_bytes: int | None = None
) -> Exchange:
    """Return the writes of a fetch in `cell`. Certificate messages of unknown size are taken as typical.

    Other versions of HTTP than 1.1 frame, ask and answer otherwise: of theirs this is the handshake and the body.
    """
    profile, size_bytes = cell.profile, cell.workload.size_bytes
    # Behind the first message of each side, of which there are two where the first was asked for again.
    change = [] if profile.retries else [CHANGE_CIPHER_SPEC_BYTES]
    hello = [server_hello_bytes(profile.group), *change, encrypted_extensions_bytes(profile)]
    request = [CERTIFICATE_REQUEST_BYTES] if profile.mutual else []
    second = CHANGE_CIPHER_SPEC_BYTES + client_hello_bytes(profile, (profile.group,))
    return Exchange(
        client_hello=(client_hello_bytes(profile, profile.key_shares),),
        server_flight=buffered([*hello, *request, *_proof(profile.chain, certificate_bytes), FINISHED_BYTES]),
        client_flight=(*_client_flight(profile, client_certificate_bytes), request_bytes(size_bytes)),
        response=tuple(sealed(response_bytes(size_bytes) if cell.workload.http == "1.1" else max(1, size_bytes))),
        requests=_requests(cell),
        idle_ns=cell.workload.connection.idle_ns,
        retry=(HELLO_RETRY_BYTES + CHANGE_CIPHER_SPEC_BYTES,) if profile.retries else (),
        second_hello=(second,) if profile.retries else (),
    )


def known_exchange(
    cell: Cell, certificate_bytes: int | None, client_certificate_bytes: int | None, sizes: WireSizes | None
) -> Exchange:
    """Return the writes of a fetch in `cell`, as learned in `sizes`, else computed from the tables of the standards.

    Raises SpecError where neither knows them, and for another HTTP than 1.1.
    """
    if cell.workload.http != "1.1":
        raise SpecError(f"the expectation does not know HTTP/{cell.workload.http}", "explain cells with HTTP/1.1")
    if sizes is not None:
        return learned_exchange(cell, sizes)
    if not has_known_sizes(cell.profile):
        raise SpecError(
            f"the sizes of profile {cell.profile.name} on the wire are not known: no table has them, and this run did "
            "not learn them",
            "measure it again with this version of pqbed, which learns them when a lane starts",
        )
    return exchange_of(cell, certificate_bytes, client_certificate_bytes)


def learned_exchange(cell: Cell, sizes: WireSizes) -> Exchange:
    """Return the writes of a fetch in `cell`, given the records of another body."""
    size_bytes, profile = cell.workload.size_bytes, cell.profile
    early = cell.workload.connection.kind == "early"
    request = sizes.request_of(size_bytes)
    return Exchange(
        client_hello=buffered([sizes.client_hello_bytes, request]) if early else (sizes.client_hello_bytes,),
        server_flight=_writes(profile.stack, sizes.server_flight),
        client_flight=(*_writes(profile.clients_stack, sizes.client_flight), *(() if early else (request,))),
        response=sizes.response_of(size_bytes),
        tickets=sizes.tickets,
        retry=_writes(profile.stack, sizes.retry),
        second_hello=_writes(profile.clients_stack, sizes.second_hello),
        early_bytes=request if early else 0,
        requests=_requests(cell),
        idle_ns=cell.workload.connection.idle_ns,
    )


def _requests(cell: Cell) -> int:
    return 2 if cell.workload.connection.kind == "reused" else 1


def _writes(stack: str, records: tuple[int, ...]) -> tuple[int, ...]:
    """Return the writes of a flight: OpenSSL's, or of a program of its own, which writes it at once (Go, Botan)."""
    entry = known_stacks().get(stack)
    at_once = entry is not None and entry.program and records
    return (sum(records),) if at_once else buffered(list(records))


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
    return [RECORD_CONTENT_BYTES + SEAL_BYTES] * full + ([rest + SEAL_BYTES] if rest else [])


def _client_flight(profile: Profile, certificate_bytes: int | None) -> tuple[int, ...]:
    chain = profile.clients_chain
    proof = [] if chain is None else _proof(chain, certificate_bytes)
    change = [] if profile.retries else [CHANGE_CIPHER_SPEC_BYTES]
    return buffered([*change, *proof, FINISHED_BYTES])


def _proof(chain: Chain, certificate_bytes: int | None) -> list[int]:
    """Return the records of Certificate and CertificateVerify."""
    message_bytes = certificate_message_bytes(chain) if certificate_bytes is None else certificate_bytes
    return [*sealed(message_bytes), certificate_verify_bytes(chain.algorithm)]
