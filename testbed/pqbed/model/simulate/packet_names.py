"""Names of the packets that each side of a fetch sends, in their order: what a number in a drop list stands for."""

import itertools
from collections.abc import Mapping, Sequence

from pqbed.model.tls_exchange import Exchange
from pqbed.spec.link_sides import Side

# Payload of a packet: the number of its first byte, and how many there are.
Payload = tuple[int, int]

_SYNS: Mapping[Side, str] = {"client": "SYN", "server": "SYN-ACK"}


def name_packets(side: Side, syns: int, sent: Sequence[Payload], exchange: Exchange) -> tuple[str, ...]:
    """Return the names: SYNs first, then those of `sent` by the flight that their first byte belongs to."""
    flights = _flights(side, exchange)
    firsts = [[number for number in _firsts(sent) if start <= number < end] for _, start, end in flights]
    named = (_name(payload, flights, firsts) for payload in sent)
    return (*[_SYNS[side]] * syns, *named)


def _name(payload: Payload, flights: Sequence[tuple[str, int, int]], firsts: Sequence[list[int]]) -> str:
    number, size_bytes = payload
    if size_bytes == 0:
        return "acknowledgement"
    for (label, start, end), own in zip(flights, firsts, strict=True):
        if start <= number < end and number in own:
            return label if len(own) == 1 else f"{label} {own.index(number) + 1} of {len(own)}"
    return "repetition"


def _flights(side: Side, exchange: Exchange) -> list[tuple[str, int, int]]:
    """Return name, first byte and end of each flight of a side."""
    if side == "server":
        sizes = [
            ("HelloRetryRequest", exchange.retry_bytes),
            ("server flight", exchange.server_bytes),
            ("ticket", 0 if exchange.early_bytes else sum(exchange.tickets)),
            ("response", sum(exchange.response) * exchange.requests + (exchange.early_bytes and sum(exchange.tickets))),
        ]
    else:
        *finished, request = (*exchange.client_flight, 0) if exchange.early_bytes else exchange.client_flight
        sizes = [
            ("ClientHello", sum(exchange.client_hello)),
            ("second ClientHello", exchange.second_hello_bytes),
            ("Finished", sum(finished)),
            ("request", request * exchange.requests),
        ]
    ends = list(itertools.accumulate(size for _, size in sizes))
    return [(label, end - size, end) for (label, size), end in zip(sizes, ends, strict=True)]


def _firsts(sent: Sequence[Payload]) -> list[int]:
    return list(dict.fromkeys(number for number, size_bytes in sent if size_bytes))
