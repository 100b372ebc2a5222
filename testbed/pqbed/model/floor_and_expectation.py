"""Floor and expected time of a cell's fetches, and of which cells no time is expected.

Pure. Both need the length of the Certificate messages, which only an open lane knows.
"""

from dataclasses import dataclass, replace

from pqbed.model.floor import connect_floor_ns, handshake_floor_ns, ttlb_floor_ns
from pqbed.model.message_sizes import has_known_sizes
from pqbed.model.simulate.connection import ExpectedFetch, simulate_fetch
from pqbed.model.simulate.receiver import QUICK_ACKS
from pqbed.model.tls_exchange import Exchange, exchange_of, known_exchange
from pqbed.spec.cell import Cell
from pqbed.spec.connection import TICKET_KINDS
from pqbed.spec.link import Link, mean_loss_ppm
from pqbed.spec.link_sides import (
    SIDES,
    congestion_control_of,
    discipline_of,
    jitter_of,
    largest_sent,
    loss_of,
    path_mtu_of,
    rate_of,
)
from pqbed.spec.profile import DEFAULT_STACK, Profile
from pqbed.spec.stacks import known_stacks
from pqbed.spec.steady_link import fastest_link
from pqbed.tls.wire_sizes import WireSizes

# What was compared with packets (docs/design/dd-009-expectation.md).
KNOWN_HTTP = "1.1"
KNOWN_CONTROLS = {"cubic"}
KNOWN_MTUS = frozenset({1450, 1480, *range(1492, 1501), 3000, 9000})
# Above this rate, or without one, segments come faster than a program reads them, so it is the CPU that decides which
# of them are acknowledged together. That does not matter down while each is acknowledged alone and none waits for it,
# nor up while there are only these few.
HIGHEST_RATE_BPS = 1_000_000_000
FEW_SEGMENTS = 2
# Sizes that are computed may be off by some bytes: signatures of ECDSA vary, and so does what a client says of itself.
# Of another stack no more is assumed than that it sends the shares, the chain and the signature.
SLACK_BYTES, OTHER_STACK_SLACK_BYTES = 64, 512
# The hellos of browsers vary by up to 96 bytes from one connection to the next (ECH GREASE).
BROWSER_SLACK_BYTES = 256
# An expectation costs some 40 us per segment: tables do without that of a longer response (`pqbed explain` does not).
MOST_SIZE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """The least times of three milestones, ns: no sample lies below them."""

    connect_ns: int
    tls_done_ns: int
    last_byte_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`lossless` is None for very long responses; `holds`: the model knows all of the cell, so samples lie near it."""

    floors: Floors
    lossless: ExpectedFetch | None
    holds: bool


def bounds_of(
    cell: Cell,
    certificate_bytes: int | None,
    client_certificate_bytes: int | None,
    sizes: WireSizes | None = None,
) -> Bounds | None:
    """Return what holds for `cell`, by `sizes` if they were learned. None where its sizes are not known.

    That is so if no lane was open yet, and of algorithms that no table has. Of another version of HTTP than 1.1 there
    are floors alone.
    """
    if certificate_bytes is None or (cell.profile.mutual and client_certificate_bytes is None):
        return None
    kind = cell.workload.connection.kind
    if sizes is None and (kind in TICKET_KINDS or not has_known_sizes(cell.profile)):
        return None
    if cell.workload.http != KNOWN_HTTP:
        if not has_known_sizes(cell.profile):
            return None
        exchange = exchange_of(cell, certificate_bytes, client_certificate_bytes)
        return Bounds(floors=floors_of(cell, exchange), lossless=None, holds=False)
    exchange = known_exchange(cell, certificate_bytes, client_certificate_bytes, sizes)
    learned = sizes is not None
    lossless = simulate_fetch(cell, exchange) if cell.workload.size_bytes <= MOST_SIZE_BYTES else None
    holds = lossless is not None and not unknowns(cell, lossless, learned=learned) and not is_lossy(cell)
    return Bounds(floors=floors_of(cell, exchange, learned=learned), lossless=lossless, holds=holds)


def floors_of(cell: Cell, exchange: Exchange, *, learned: bool = False) -> Floors:
    """Return the floors, with some slack for sizes that are not known to the byte."""
    slack = OTHER_STACK_SLACK_BYTES if _other_stacks(cell.profile) and not learned else SLACK_BYTES
    hello_slack = BROWSER_SLACK_BYTES if _is_browser(cell.profile) else slack
    cell = replace(cell, link=fastest_link(cell.link))
    server, response = exchange.server_bytes - slack, max(1, sum(exchange.response) - slack)
    # What comes after a request that came early holds nothing up.
    client = (sum(exchange.client_hello) if exchange.early_bytes else exchange.client_bytes) - hello_slack
    hello = max(1, exchange.hello_bytes + exchange.second_hello_bytes - hello_slack)
    if cell.workload.connection.kind == "reused":
        last_ns = ttlb_floor_ns(cell, server, client, response, exchange.retry_bytes, early_bytes=exchange.early_bytes)
        return Floors(connect_ns=0, tls_done_ns=0, last_byte_ns=last_ns)
    return Floors(
        connect_ns=connect_floor_ns(cell),
        tls_done_ns=handshake_floor_ns(cell, server, hello, exchange.retry_bytes),
        last_byte_ns=ttlb_floor_ns(
            cell, server, client, response, exchange.retry_bytes, early_bytes=exchange.early_bytes
        ),
    )


def is_lossy(cell: Cell) -> bool:
    """Tell whether the link loses packets, in any direction."""
    return bool(cell.link.drop) or is_black_hole(cell) or any(mean_loss_ppm(loss_of(cell.link, side)) for side in SIDES)


def is_black_hole(cell: Cell) -> bool:
    """Tell whether the path swallows the largest packets that the ends send."""
    return 0 < path_mtu_of(cell.link, "swallowed") < cell.tcp.mtu


def unknowns(cell: Cell, lossless: ExpectedFetch, *, learned: bool = False) -> tuple[str, ...]:
    """Name what in the cell, besides loss, the expectation does not know: samples need not lie near it.

    `learned`: its sizes were, so that it matters neither which stack it is nor whether tables have its algorithms.
    """
    link, tcp = cell.link, cell.tcp
    controls = {congestion_control_of(tcp, side) for side in SIDES}
    largest = largest_sent(link, tcp)
    managed = {discipline_of(link, side) for side in SIDES} - {"fifo"}
    return (
        *((f"segmentation {link.segmentation}",) if link.segmentation != "wire" else ()),
        *((f"congestion control {'/'.join(sorted(controls))}",) if controls != KNOWN_CONTROLS else ()),
        *((f"an MTU of {largest}",) if largest not in KNOWN_MTUS else ()),
        *(("data in the SYN (TCP Fast Open)",) if tcp.fast_open else ()),
        *(("jitter",) if any(jitter_of(link, side) for side in SIDES) else ()),
        *(("a link that changes",) if link.trace or link.trace_up or link.outage else ()),
        *(("packets reordered, duplicated or corrupted",) if _is_disturbed(link) else ()),
        *((f"middlebox {link.middlebox.drops}",) if link.middlebox else ()),
        *(("ICMP messages of the path",) if path_mtu_of(link, "told") else ()),
        *(("cross traffic",) if link.cross_traffic else ()),
        *((f"queue discipline {'/'.join(sorted(managed))}",) if managed else ()),
        *_unknown_rates(link, lossless),
        *(("a queue that overflows",) if lossless.overflowed else ()),
        *(() if learned else _unknown_profile(cell.profile)),
    )


def _is_disturbed(link: Link) -> bool:
    return bool(link.reorder_ppm or link.duplicate_ppm or link.corrupt_ppm)


def _unknown_rates(link: Link, lossless: ExpectedFetch) -> tuple[str, ...]:
    """Name a direction in which the time hangs on how fast a program reads what comes (dd-009)."""
    down, up = (_unlimited(rate_of(link, side)) for side in ("server", "client"))
    single = lossless.server_flight.segments <= QUICK_ACKS and lossless.response.rounds == 1
    if not lossless.server_flight.segments:  # the window of a kept connection hangs on the response before
        single = lossless.response.segments <= QUICK_ACKS
    few = lossless.client_flight.segments <= FEW_SEGMENTS
    return (
        *((f"how fast the client reads on a downlink {down}",) if down and not single else ()),
        *((f"how fast the server reads on an uplink {up}",) if up and not down and not few else ()),
    )


def _unlimited(rate_bps: int | None) -> str:
    """Say that a rate is above the highest that is known; empty where it is not."""
    if rate_bps is None:
        return "without a rate limit"
    return f"of more than {HIGHEST_RATE_BPS // 10**9} Gbit/s" if rate_bps > HIGHEST_RATE_BPS else ""


def _unknown_profile(profile: Profile) -> tuple[str, ...]:
    if others := _other_stacks(profile):
        return (f"stack {'/'.join(others)}",)
    return () if has_known_sizes(profile) else (f"the sizes of profile {profile.name}",)


def _is_browser(profile: Profile) -> bool:
    entry = known_stacks().get(profile.clients_stack)
    return entry is not None and entry.client == "browser"


def _other_stacks(profile: Profile) -> list[str]:
    return sorted({profile.stack, profile.clients_stack} - {DEFAULT_STACK})
