"""Trace of one fetch: a capture at both ends and a key log; in everything else an ordinary fetch."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_part_interfaces import Client, Mirror, Tap
from pqbed.errors import HostError
from pqbed.net.packet_ring_capture import room_for
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import JITTER_REACH
from pqbed.spec.link_sides import SIDES, jitter_of
from pqbed.spec.sample import Timings
from pqbed.units import NS_PER_S

# In addition to the delay of the last acknowledgement: for packets that wait at a slow bottleneck towards the server.
QUEUE_NS = 250_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedFetch:
    """`ended_ns` is when the captures ended, on the clock of their frames; None if nothing was captured."""

    timings: Timings
    ended_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A traced fetch: two capture files (net/pcap.py), and the key log, which must not be shown anywhere."""

    fetch: TracedFetch
    client_pcap: bytes
    server_pcap: bytes
    keys: str = field(repr=False)


class Tracer:
    """Does fetches through `runner` and captures them. `client` is the one that `runner` fetches with."""

    def __init__(
        self, *, runner: FetchRunner, mirrors: Sequence[Mirror], client_tap: Tap, server_tap: Tap, client: Client
    ) -> None:
        self._runner = runner
        self._mirrors = mirrors
        self._client_tap = client_tap
        self._server_tap = server_tap
        self._client = client

    def trace(self, cell: Cell, seed: int) -> Traced:
        """Do one fetch of `cell`. Raises HostError if it cannot be captured completely."""
        taps = (self._client_tap, self._server_tap)
        super_packets = cell.link.segmentation != "wire"
        room = room_for(cell.workload.size_bytes, cell.tcp.mtu, super_packets=super_packets)
        with ExitStack() as owner:
            for mirror in self._mirrors:
                owner.callback(mirror.stop)
                mirror.start()
            self._client.log_keys()
            endings = _Endings(taps, cell.link)

            begun = False

            def begin() -> None:
                nonlocal begun
                begun = True
                for tap in taps:
                    tap.begin(room)

            try:
                timings = self._runner.sample(cell, seed, endings, after_priming=begin)
                if not begun:  # there was nothing to fetch: the captures are empty
                    begin()
            finally:
                keys = self._client.take_keys()
        endings.raise_failure()
        client_pcap, server_pcap = (tap.pcap() for tap in taps)
        fetch = TracedFetch(timings=timings, ended_ns=endings.ended_ns)
        return Traced(fetch=fetch, client_pcap=client_pcap, server_pcap=server_pcap, keys=keys)


class _Endings:
    """Ends the captures before the link is taken away: the teardown of the connection is not part of the fetch."""

    def __init__(self, taps: Sequence[Tap], link: Link) -> None:
        self._taps = taps
        self._linger_ns = link.rtt_ns + JITTER_REACH * sum(jitter_of(link, side) for side in SIDES) + QUEUE_NS
        self._failure: HostError | None = None
        self.ended_ns: int | None = None

    def __call__(self) -> None:
        # Packets in flight must arrive first: otherwise the last acknowledgement would seem lost.
        time.sleep(self._linger_ns / NS_PER_S)
        try:
            self.ended_ns = min([tap.end() for tap in self._taps])
        except HostError as failure:  # the sample has its outcome already, and this is none
            self._failure = failure

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
