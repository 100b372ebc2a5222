"""Fake bed: no network, made-up numbers, for trying the command line and for its tests.

Every timing is the floor of the model plus a part drawn from the seed of the fetch and its cell, so that the same fetch
gives the same timings in any order, on any lane.
"""

import random
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence

from pqbed.agent.fetch_trace import Traced
from pqbed.agent.lane_facts import LaneFacts
from pqbed.beds.bed_interface import BedName
from pqbed.beds.fake_calibration import fake_measurement
from pqbed.calibrate.measurement import Calibration
from pqbed.errors import HostError, LaneError, LaneGoneError
from pqbed.model.floor import connect_floor_ns, handshake_floor_ns, rtt_floor_ns, ttlb_floor_ns
from pqbed.model.message_sizes import certificate_message_bytes
from pqbed.model.tls_exchange import exchange_of
from pqbed.net.link_state import EndState, LinkState
from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import EndShape, shape_end, shape_stage, stages_of
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock
from pqbed.spec.sample import Fetch, Outcome, Timings
from pqbed.spec.tcp import Tcp
from pqbed.tls.served_profile import FIRST_PORT, ServedProfile
from pqbed.tls.wire_sizes import LearnedSizes

# Mean of what is added to the floor, as a share of it.
SPREAD = 0.05


class FakeBed:
    """Counts fetches over all its lanes, from 1: those in `fail_at` fail, those in `die_at` end the lane.

    `sleep_s` is real time per fetch; closing the lane cuts it short.
    """

    def __init__(
        self,
        *,
        clock: Clock = "virtual",
        fail_at: Collection[int] = (),
        fail_with: Outcome = "tls_error",
        die_at: Collection[int] = (),
        sleep_s: float = 0.0,
    ) -> None:
        self.name: BedName = "fake"
        self.clock: Clock = clock
        self.fail_at = fail_at
        self.fail_with = fail_with
        self.die_at = die_at
        self.sleep_s = sleep_s
        self._count = 0
        self._lock = threading.Lock()

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:  # noqa: ARG002 (it needs nothing)
        return {"fake": "sha256:" + "0" * 64}

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> "FakeLane":
        return FakeLane(self, index, profiles, timeout_ns)

    def close(self) -> None:
        """Hold nothing, end nothing."""

    def count_fetch(self) -> int:
        """Return the number of the next fetch."""
        with self._lock:
            self._count += 1
            return self._count


class FakeLane:
    """A lane of the fake bed."""

    def __init__(self, bed: FakeBed, index: int, profiles: Sequence[Profile], timeout_ns: int) -> None:
        self.index = index
        self.facts = LaneFacts(kernel="fake-1", versions={"fake": "1"}, served=_serve(profiles))
        self._bed = bed
        self._timeout_ns = timeout_ns
        self._closed = threading.Event()
        self._link: LinkState | None = None

    def run(self, cells: Mapping[str, Cell], fetches: Sequence[Fetch]) -> Iterator[tuple[Fetch, Timings]]:
        for fetch in fetches:
            number = self._bed.count_fetch()
            if self._closed.wait(self._bed.sleep_s):
                raise LaneError(f"lane {self.index} was closed")
            if number in self._bed.die_at:
                raise LaneGoneError(f"lane {self.index} died at fetch {number}, as requested")
            if number in self._bed.fail_at:
                yield fetch, Timings(outcome=self._bed.fail_with, detail=f"fetch {number} fails, as requested")
            else:
                yield fetch, fake_timings(cells[fetch.cell_id], fetch, self._timeout_ns)

    def learn_sizes(self, kinds: tuple[ConnectionKind, ...]) -> LearnedSizes:  # noqa: ARG002
        """Return nothing: no bytes are sent."""
        return {}

    def set_link(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        self._link = LinkState(
            client=_as_asked(shape_end(link, tcp, "client", seed)),
            server=_as_asked(shape_end(link, tcp, "server", seed)),
            stages={stage: _as_asked(shape_stage(link, tcp, stage, seed)) for stage in stages_of(link)},
        )
        return self._link

    def read_link(self) -> LinkState:
        if self._link is None:
            raise LaneError(f"lane {self.index} has no link yet")
        return self._link

    def calibrate(self, link: Link, tcp: Tcp, seed: int) -> Calibration:
        """Return what a link exactly as requested would show; measures nothing."""
        state = self.set_link(link, tcp, seed)
        return Calibration(measured=fake_measurement(link, tcp), state=state)

    def trace(self, cell: Cell, fetch: Fetch) -> Traced:  # noqa: ARG002
        raise HostError("the fake bed sends no packets, so there is nothing to trace", "use another bed: --bed uml")

    def close(self) -> None:
        self._closed.set()


def _as_asked(shape: EndShape) -> EndState:
    return EndState(asked=shape, applied=shape, text="fake")


def fake_timings(cell: Cell, fetch: Fetch, timeout_ns: int) -> Timings:
    """Return timings of `fetch`: never below the floor, a time-out above `timeout_ns`."""
    over_tcp = cell.workload.transport == "tcp"
    draw = random.Random(f"{fetch.seed}/{fetch.cell_id}")
    exchange = exchange_of(cell)
    rtt_ns = rtt_floor_ns(cell.link)
    hello, retry = sum(exchange.client_hello) + exchange.second_hello_bytes, exchange.retry_bytes
    least_ns = handshake_floor_ns(cell, exchange.server_bytes, hello, retry)
    handshake_ns = _stretch(least_ns, draw)
    rest_ns = ttlb_floor_ns(cell, exchange.server_bytes, exchange.client_bytes, sum(exchange.response), retry)
    rest_ns -= least_ns
    last_byte_ns = handshake_ns + _stretch(rest_ns, draw)
    if last_byte_ns > timeout_ns:
        return Timings(outcome="timeout", detail="time-out of the fetch", tcp_connect_ns=connect_floor_ns(cell) or None)
    return Timings(
        outcome="ok",
        tcp_connect_ns=connect_floor_ns(cell) or None,
        tls_done_ns=handshake_ns,
        first_byte_ns=min(handshake_ns + rtt_ns, last_byte_ns),
        last_byte_ns=last_byte_ns,
        body_bytes=cell.workload.size_bytes,
        http_status=200,
        group=cell.profile.group,
        signature=cell.profile.chain.algorithm,
        retransmits=0 if over_tcp else None,
        lost=0 if over_tcp else None,
        tcp_rtt_ns=rtt_ns if over_tcp else None,
        cwnd=cell.tcp.initcwnd_client if over_tcp else None,
        hello_retry=cell.profile.retries if len(cell.profile.offered) > 1 else None,
        hello_retry_ns=connect_floor_ns(cell) + rtt_ns if cell.profile.retries else None,
    )


def _stretch(floor_ns: int, draw: random.Random) -> int:
    return floor_ns + int(floor_ns * draw.expovariate(1 / SPREAD))


def _serve(profiles: Sequence[Profile]) -> tuple[ServedProfile, ...]:
    return tuple(
        ServedProfile(
            profile=profile,
            port=FIRST_PORT + number,
            root_pem="",
            certificate_wire_bytes=certificate_message_bytes(profile.chain),
            signature=profile.chain.algorithm,
            client_certificate_wire_bytes=_client_certificate_bytes(profile),
        )
        for number, profile in enumerate(profiles)
    )


def _client_certificate_bytes(profile: Profile) -> int | None:
    chain = profile.clients_chain
    return None if chain is None else certificate_message_bytes(chain)
