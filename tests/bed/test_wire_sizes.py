"""Chains as they are on the link: sizes counted from packets, never from files."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pqbed.model.tls_exchange import exchange_of
from pqbed.spec.cell import Cell
from pqbed.spec.json_codec import from_json
from pqbed.spec.link import Link
from pqbed.spec.profile import Profile
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from pqbed.tls.served_profile import ServedProfile
from pqbed.tls.tls_records import Record
from support.chain_kinds import CHAINS, FLIGHTS, PADDED, PROFILES
from support.units import MS

pytestmark = pytest.mark.uml

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
# By how much names and extensions of our two certificates are longer than those of the published captures: learned
# from the difference of one flight, and the same for all that are compared.
LONGER_NAMES_BYTES = 121
# EncryptedExtensions, then CertificateRequest where the client is asked to prove itself.
BEFORE_CERTIFICATE = {False: 1, True: 2}
# What a TLS 1.3 record adds to its content: header, content type, tag.
SEALED_BYTES = 22
FINISHED_BYTES = 52
# The longest signature by P-256 has 72 bytes; one in some thousands is shorter by more than this.
ECDSA_SLACK_BYTES = 4


@dataclass(frozen=True)
class Seen:
    """One fetch as its packets tell it. Flights in bytes: ClientHello, server, client and request, response."""

    served: ServedProfile
    timings: dict[str, Any]
    flights: list[int]
    up: list[Record]
    down: list[Record]

    @property
    def server_contents(self) -> list[int]:
        """Sizes of the handshake messages between the ServerHello and the response, the Certificate's parts apart."""
        sealed = [record for record in self.down if record.kind == "application_data"]
        return [record.content_bytes for record in sealed if record.end <= self.flights[1]]

    @property
    def server_certificate_bytes(self) -> int:
        """The Certificate message of the server: what is left without the messages before and behind it."""
        return sum(self.server_contents[BEFORE_CERTIFICATE[self.served.profile.mutual] : -2])

    @property
    def client_certificate_bytes(self) -> int:
        """The same of the client, whose flight ends with CertificateVerify, Finished and the request."""
        sealed = [record.content_bytes for record in self.up if record.kind == "application_data"]
        return sum(sealed[:-3])

    @property
    def server_flight_bytes(self) -> int:
        """The server's flight without its records' headers and tags: the messages alone."""
        sealed = [record for record in self.down if record.kind == "application_data" and record.end <= self.flights[1]]
        return self.flights[1] - SEALED_BYTES * len(sealed)


@pytest.fixture(scope="module")
def rows(uml_guest_run: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return uml_guest_run(Path(__file__).with_name("guest_wire_sizes.py"))


@pytest.fixture(scope="module")
def seen(rows: list[dict[str, Any]]) -> dict[str, Seen]:
    found = {}
    for row in rows[1:]:
        served = from_json(ServedProfile, row["served"])
        up, down = (list(from_json(tuple[Record, ...], row[way])) for way in ("up", "down"))
        found[served.profile.name] = Seen(served, row["timings"], row["flights"], up, down)
    return found


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_the_certificate_message_is_as_large_as_it_is_said_to_be(seen: dict[str, Seen], profile: Profile) -> None:
    one = seen[profile.name]
    assert one.timings["outcome"] == "ok"
    assert one.server_certificate_bytes == one.served.certificate_wire_bytes
    assert one.client_certificate_bytes == (one.served.client_certificate_wire_bytes or 0)


@pytest.mark.parametrize("name", [name for name, chain in CHAINS.items() if chain.wire_bytes])
def test_a_padded_chain_has_the_size_that_was_asked(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].server_certificate_bytes == pytest.approx(CHAINS[name].wire_bytes, rel=0.01)
    if CHAINS[name].algorithm != "p256":  # its signatures vary by some bytes
        assert seen[name].server_certificate_bytes == CHAINS[name].wire_bytes


@pytest.mark.parametrize("size", PADDED)
def test_padding_adds_its_own_bytes_to_the_flight_and_no_other(seen: dict[str, Seen], size: int) -> None:
    plain, padded = seen["rsa2048"], seen[f"rsa2048-{size}"]
    more = padded.server_flight_bytes - plain.server_flight_bytes
    assert more == padded.server_certificate_bytes - plain.server_certificate_bytes
    assert more == size - plain.served.certificate_wire_bytes


def test_a_client_s_padding_is_sent_in_full(seen: dict[str, Seen]) -> None:
    assert seen["mutual-padded"].client_certificate_bytes == 16_000
    assert seen["mutual-padded"].flights[2] - seen["mutual"].flights[2] == pytest.approx(
        16_000 - 1_714, abs=SEALED_BYTES
    )


def test_only_mutual_profiles_ask_the_client_for_a_chain(seen: dict[str, Seen]) -> None:
    for one in seen.values():
        assert (one.client_certificate_bytes > 0) == one.served.profile.mutual


def test_every_chain_costs_the_round_trips_that_its_flight_takes(seen: dict[str, Seen]) -> None:
    # 20 segments go at once; the client's first receive window holds 64 KB.
    for name, one in seen.items():
        if max(one.flights) < 20 * 1448:
            assert one.timings["tls_done_ns"] == pytest.approx(70 * MS, abs=MS / 10), name
            assert one.timings["last_byte_ns"] == pytest.approx(105 * MS, abs=MS / 10), name
        else:
            assert one.timings["last_byte_ns"] >= 139 * MS, name


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_flight_has_the_size_that_the_model_takes_it_for(seen: dict[str, Seen], profile: Profile) -> None:
    one = seen[profile.name]
    cell = Cell(link=Link(rtt_ns=35 * MS), tcp=Tcp(), profile=profile, workload=Workload(size_bytes=0))
    exchange = exchange_of(cell, one.served.certificate_wire_bytes, one.served.client_certificate_wire_bytes)
    sizes = [exchange.client_hello, exchange.server_flight, exchange.client_flight, exchange.response]
    chains = (profile.chain, profile.clients_chain)
    slack = ECDSA_SLACK_BYTES if any(chain and chain.algorithm == "p256" for chain in chains) else 0
    assert [sum(writes) for writes in sizes] == pytest.approx(one.flights, abs=slack)


def test_no_key_is_in_what_a_lane_says(rows: list[dict[str, Any]]) -> None:
    assert "mutual-pq" in str(rows[0]["facts"])
    assert "PRIVATE" not in str(rows)


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_server_s_flight_has_the_published_size_but_for_names(seen: dict[str, Seen], name: str) -> None:
    published = published_flights()[name]
    alike = seen[name].flights[1] - LONGER_NAMES_BYTES
    # Signatures by ECDSA vary, and certificates of fewer than 256 bytes within have shorter lengths.
    assert alike == (pytest.approx(published, rel=0.01) if name == "flight-ecdsa" else published)


def published_flights() -> dict[str, int]:
    with (PUBLISHED / "server-flights.csv").open() as file:
        return {row["id"]: int(row["value"]) for row in csv.DictReader(file)}
