"""The writes of both sides, as counted in packets."""

from dataclasses import replace

import pytest

from pqbed.errors import SpecError
from pqbed.model.message_sizes import client_hello_bytes
from pqbed.model.tls_exchange import buffered, exchange_of, known_exchange, learned_exchange, sealed
from pqbed.spec.connection import Connection, ConnectionKind
from pqbed.spec.workload import Http, Workload
from pqbed.tls.wire_sizes import PROBE_BYTES, WireSizes
from support.exchanges import cell_of
from support.profiles import CLASSICAL, PQ


def test_writes_counted_in_packets() -> None:
    """One fetch of 0 KiB seen in a guest: writes of 4096, 8351 and 3413 bytes, then 80, 275 and 294."""
    seen = exchange_of(cell_of(profile=PQ), certificate_bytes=11_172)
    assert seen.client_hello == (1428,)
    assert seen.server_flight == (4096, 8351, 3413)
    assert seen.client_flight == (80, 275)
    assert seen.response == (294,)


def test_a_client_that_proves_itself_counted_in_packets() -> None:
    """The same with mutual authentication: 75 bytes more from the server, and the client's own chain."""
    seen = exchange_of(cell_of(profile=replace(PQ, mutual=True)), 11_172, 11_172)
    assert seen.server_flight == (4096, 8426, 3413)
    assert seen.client_flight == (4096, 7104, 3413, 275)


BOTH = ("X25519MLKEM768", "X25519")


def test_hellos_with_several_groups_and_shares() -> None:
    """Against hellos seen with libcurl's ALPN, 15 bytes: 1508, 1518 and 1554 bytes of message, 5 of record."""
    arms = [
        replace(PQ, groups=groups, shares=shares)
        for groups, shares in ((BOTH[:1], BOTH[:1]), (BOTH, BOTH[:1]), (BOTH, BOTH))
    ]
    sizes = [client_hello_bytes(arm, arm.key_shares) for arm in arms]
    assert [size - sizes[0] for size in sizes] == [0, 10, 46]


def test_what_a_stapled_response_and_alpn_add() -> None:
    """A response by ML-DSA-65 has 3,544 bytes (OpenSSL 3.5.9), status_request 9, ALPN with http/1.1 alone 15."""
    stapled, alpn = replace(PQ, chain=replace(PQ.chain, ocsp=True)), replace(PQ, alpn=True)
    plain, more, named = (exchange_of(cell_of(profile=profile)) for profile in (PQ, stapled, alpn))
    assert more.hello_bytes - plain.hello_bytes == 9
    assert more.server_bytes - plain.server_bytes == 8 + 3_544
    assert named.hello_bytes - plain.hello_bytes == named.server_bytes - plain.server_bytes == 15


def test_a_hello_that_is_asked_for_again_counted_in_packets() -> None:
    wrong = replace(CLASSICAL, groups=BOTH, shares=BOTH[:1], server_groups="X25519MLKEM768/X25519", group="X25519")
    seen = exchange_of(cell_of(profile=wrong), certificate_bytes=1_700)
    assert (seen.retry, seen.client_flight) == ((99,), (74, 275))


def test_flights_are_written_in_full_buffers() -> None:
    assert buffered([100, 200]) == (300,)
    assert buffered([4096]) == (4096,)
    assert buffered([100, 3996]) == (4096,)
    assert buffered([100, 3997]) == (4096, 1)
    assert buffered([100, 9000, 50]) == (4096, 5004, 50)
    assert sealed(16_384) == [16_406]
    assert sealed(16_385) == [16_406, 23]
    assert sealed(0) == []


@pytest.mark.parametrize("http", ["2", "3"])
def test_only_http_1_1_is_expected_write_by_write(http: Http) -> None:
    cell = replace(cell_of(), workload=Workload(size_bytes=1000, http=http))
    with pytest.raises(SpecError, match=f"does not know HTTP/{http}"):
        known_exchange(cell, 1_715, None, None)
    assert exchange_of(cell).response == tuple(sealed(1000))


@pytest.mark.parametrize(("kind", "early_bytes", "client_flight"), [("early", 300, (80,)), ("full", 0, (80, 300))])
def test_a_request_that_was_learned_is_early_data_or_of_the_client_s_flight(
    kind: ConnectionKind, early_bytes: int, client_flight: tuple[int, ...]
) -> None:
    cell = cell_of(size=PROBE_BYTES)
    cell = replace(cell, workload=replace(cell.workload, connection=Connection(kind=kind)))
    sizes = WireSizes(
        client_hello_bytes=500,
        server_flight=(900,),
        client_flight=(80,),
        request_bytes=300,
        response_header_bytes=270,
        response=((PROBE_BYTES + 292, 1),),
    )
    learned = learned_exchange(cell, sizes)
    assert (learned.early_bytes, learned.client_flight) == (early_bytes, client_flight)
    assert sum(learned.client_hello) == 500 + early_bytes
