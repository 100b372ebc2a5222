"""Endpoint of a link: an interface in a namespace, shaped as one value and read back.

It sets everything that a packet meets on its way out: MTU and segmentation on the interface, initial windows and
congestion control on its routes, delay, rate and loss in a netem at its root, and before it the packets lost by number.
"""

import socket
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from pqbed.errors import HostError
from pqbed.net.interface_mtu import Interface, interface_for, read_interface, segmentation_of, set_interface
from pqbed.net.link_state import EndState
from pqbed.net.managed_queue import ManagedQueue, ManagedQueueControl, managed_queue_of
from pqbed.net.middlebox_filters import MiddleboxFilters
from pqbed.net.netem import Netem, change_message, loss_of, netem_of, ppm
from pqbed.net.packet_drops import PacketDrops
from pqbed.net.packet_size_limit import PacketSizeLimit
from pqbed.net.path_mtu_cache import forget_path_mtus
from pqbed.net.root_qdisc import RootQdisc, RootQdiscControl
from pqbed.net.route_metrics import RouteMetrics, metrics_of, read_routes, set_metrics
from pqbed.net.rtnetlink import NLM_F_REPLACE, RouteSocket
from pqbed.net.run_in_namespace import open_socket
from pqbed.net.tc_format import qdisc_text, queue_text
from pqbed.net.tc_messages import RTM_NEWQDISC
from pqbed.net.timeline_player import TimelinePlayer
from pqbed.spec.link import RandomLoss
from pqbed.spec.link_end_shape import EndShape, at_time


@dataclass(frozen=True, slots=True, kw_only=True)
class _KernelSettings:
    """An end in the kernel's own terms. `netem` is None if there is none, or none is needed."""

    interface: Interface
    metrics: RouteMetrics
    netem: Netem | None
    drops: tuple[int, ...]
    largest_packet: int
    queue: ManagedQueue | None = None


class ShapedInterface:
    """Owns interface `ifname` in the namespace at path `netns` (None: the present one) until `close`.

    No other program may set that interface meanwhile. Not safe for use by two threads at once.
    """

    def __init__(self, netns: str | None, ifname: str) -> None:
        self.ifname = ifname
        self._kernel = RouteSocket(netns)
        self._control = open_socket(netns, socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._index, self._found = read_interface(self._kernel, self._control, ifname)
        except BaseException:
            self.close()
            raise
        self._root = RootQdiscControl(self._kernel, ifname, self._index)
        self._queue = ManagedQueueControl(self._kernel, ifname, self._index)
        self._netns = netns
        self._player: TimelinePlayer | None = None
        self._drops = PacketDrops(self._kernel, ifname, self._index)
        self._size_limit = PacketSizeLimit(self._kernel, ifname, self._index)
        self._middlebox = MiddleboxFilters(self._kernel, ifname, self._index)
        self._applied: _KernelSettings | None = None
        self._state: EndState | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def shape(self, shape: EndShape) -> EndState:
        """Set the end to `shape` and return it as the kernel then has it.

        Only differences from the last shape are written, and everything written is read back. Raises HostError if the
        kernel applied something else; the state is then undefined until the next `shape`.
        """
        self._stop_timeline()
        last = None if self._state is None else self._state.asked
        if last is not None and replace(last, seed=shape.seed) == shape:
            return self.reseed(shape.seed)
        start = at_time(shape, 0)
        wanted = _KernelSettings(
            interface=interface_for(shape.segmentation, shape.mtu, self._found),
            metrics=RouteMetrics(
                initcwnd=shape.initcwnd,
                initrwnd=shape.initrwnd,
                congestion_control=shape.congestion_control,
                advmss=shape.advmss,
                ecn=shape.ecn,
            ),
            netem=None if shape.discipline else netem_of(start),
            drops=shape.drops,
            largest_packet=shape.largest_packet,
            queue=managed_queue_of(start),
        )
        before, self._applied, self._state = self._applied, None, None
        if shape.forgets_path_mtu:
            forget_path_mtus(self._netns)  # refused here, a fetch is not done at all
        if before is None or before.interface != wanted.interface:
            self._set_interface(wanted.interface)
        if before is None or before.metrics != wanted.metrics:
            self._set_metrics(wanted.metrics)
        root = self._set_root(wanted.netem, wanted.queue)
        self._set_drops(wanted.drops)
        self._set_size_limit(wanted.largest_packet)
        self._middlebox.put(shape.middlebox)
        self._require("middlebox", self._middlebox.expected_count(), self._middlebox.count())
        self._applied = wanted
        self._state = _state(shape, replace(wanted, netem=root.netem), root)
        self._start_timeline(shape)
        return self._state

    def reseed(self, seed: int) -> EndState:
        """Restart the random streams and the count of packets, and leave everything else unchanged.

        Packets on the wire stay there; packets sent from now on draw from the new stream. The
        Gilbert-Elliott chain starts in its good state.
        """
        if self._state is None or self._state.asked is None or self._applied is None:
            raise HostError(f"{self.ifname} must be shaped before it is given a seed")
        self._stop_timeline()
        self._drops.restart()
        self._size_limit.restore()
        self._middlebox.restore()
        self._queue.restore()
        asked = replace(self._state.asked, seed=seed)
        if self._applied.netem is None:
            self._state = replace(self._state, asked=asked)
            self._start_timeline(asked)
            return self._state
        self._root.reseed(seed)
        netem = replace(self._applied.netem, seed=seed)
        self._applied = replace(self._applied, netem=netem)
        text = self._state.text.rpartition(" seed ")[0]
        applied = replace(self._state.applied, seed=seed)
        self._state = EndState(asked=asked, applied=applied, text=f"{text} seed {seed}")
        self._start_timeline(asked)
        return self._state

    def read(self) -> EndState:
        """Return the end as the kernel has it, even if another program set it."""
        _, interface = read_interface(self._kernel, self._control, self.ifname)
        metrics = {metrics_of(route) for route in read_routes(self._kernel, self._index)}
        root = self._root.read()
        parts = _KernelSettings(
            interface=interface,
            metrics=metrics.pop() if len(metrics) == 1 else RouteMetrics(),
            netem=root.netem,
            drops=self._drops.read(),
            largest_packet=self._size_limit.read(),
            queue=self._queue.read(),
        )
        return _state(None, parts, root)

    def queued(self) -> int:
        """Return how many packets are in the netem, on the wire or waiting; 0 without a netem."""
        root = self._root.read()
        return 0 if root.netem is None else root.queued

    def queue(self) -> tuple[int, int]:
        """Return the packets that `queued` counts, or those of a bottleneck without netem, and their bytes."""
        root = self._root.read()
        return (root.queued, root.queued_bytes) if root.netem is not None or self._queue.present else (0, 0)

    def marked(self) -> int:
        """Return how many packets its queue has marked since it was set (ECN); 0 if it is a netem."""
        _, marks = self._queue.counts()
        return marks

    def quiet(self) -> None:
        """Drop every packet on the wire and let later ones pass unshaped, until the next `shape` or `reseed`."""
        self._stop_timeline()
        if self._state is not None and self._state.asked is not None and self._state.asked.forgets_path_mtu:
            forget_path_mtus(self._netns)
        self._root.quiet()
        self._queue.remove()
        self._remove_filters()

    def drain(self) -> int:
        """Do the same, and return how many packets the netem had dropped since it was created or reseeded.

        Both the packets that found its queue full and those that its loss dropped.
        """
        self._stop_timeline()
        self._remove_filters()
        drops, _ = self._queue.counts()
        self._queue.remove()
        return drops + self._root.drain()

    def clear(self) -> None:
        """Undo `shape`: restore the settings found at creation, remove the netem and the metrics of the routes."""
        self._stop_timeline()
        self._applied = self._state = None
        self._queue.put(None)
        self._root.remove()
        self._drops.put(())
        self._size_limit.put(0)
        self._middlebox.put(None)
        self._set_interface(self._found)
        self._set_metrics(RouteMetrics())

    def close(self) -> None:
        """Close the sockets; the end stays as it is."""
        self._kernel.close()
        self._control.close()

    def _set_interface(self, wanted: Interface) -> None:
        set_interface(self._kernel, self._control, self.ifname, wanted)
        _, applied = read_interface(self._kernel, self._control, self.ifname)
        self._require("interface", wanted, applied)

    def _set_metrics(self, wanted: RouteMetrics) -> None:
        routes = read_routes(self._kernel, self._index)
        if not routes:
            raise HostError(f"{self.ifname} has no IPv4 subnet route to set initial windows on", hint="is it up?")
        for route in routes:
            if metrics_of(route) != wanted:
                set_metrics(self._kernel, route, wanted)
        for route in read_routes(self._kernel, self._index):
            self._require("route", wanted, metrics_of(route))

    def _set_root(self, wanted: Netem | None, queue: ManagedQueue | None) -> RootQdisc:
        self._queue.put(None)
        if wanted is None:
            self._root.remove()
            root = self._root.read()
        else:
            root = self._root.put(wanted)
        self._require("netem", wanted, root.netem)
        if queue is None:
            return root
        self._queue.put(queue)
        self._require("queue", queue, self._queue.read())
        return self._root.read()

    def _start_timeline(self, shape: EndShape) -> None:
        """Let the shape change as its timeline says from now on, in a thread with a socket of its own."""
        if shape.timeline is None:
            return
        kernel = RouteSocket(self._netns)
        queue = ManagedQueueControl(kernel, self.ifname, self._index)

        def apply(now: EndShape) -> None:
            managed, netem = managed_queue_of(now), netem_of(now)
            if managed is not None:
                queue.change(managed)
            elif netem is not None:
                kernel.ask(change_message(self._index, netem), RTM_NEWQDISC, NLM_F_REPLACE)

        self._player = TimelinePlayer(shape, apply)

    def _stop_timeline(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            player.stop()

    def _remove_filters(self) -> None:
        self._drops.remove()
        self._size_limit.remove()
        self._middlebox.remove()

    def _set_size_limit(self, wanted: int) -> None:
        self._size_limit.put(wanted)
        if wanted:
            self._require("path MTU", wanted, self._size_limit.read())

    def _set_drops(self, wanted: tuple[int, ...]) -> None:
        self._drops.put(wanted)
        if wanted:
            self._require("drop list", wanted, self._drops.read())

    def _require(self, what: str, wanted: object, applied: object) -> None:
        if applied == wanted:
            return
        differ = [
            name for name in getattr(type(wanted), "__slots__", ()) if _field(wanted, name) != _field(applied, name)
        ]
        differences = "; ".join(f"{name}: asked {_field(wanted, name)}, got {_field(applied, name)}" for name in differ)
        hint = "netem takes a seed from Linux 6.6 on" if _field(applied, "seed") is None and "seed" in differ else ""
        raise HostError(
            f"the {what} of {self.ifname} is not as asked: {differences or f'asked {wanted}, got {applied}'}", hint=hint
        )


def _field(value: object, name: str) -> object:
    return getattr(value, name, None)


def _state(asked: EndShape | None, parts: _KernelSettings, root: RootQdisc) -> EndState:
    """Convert from the kernel's terms. Without a netem: no delay, no loss, no seed, an empty queue."""
    netem, queue = parts.netem, parts.queue
    applied = EndShape(
        delay_ns=0 if netem is None else netem.delay_ns,
        jitter_ns=0 if netem is None else netem.jitter_ns,
        distribution="uniform" if netem is None else netem.distribution,
        loss=RandomLoss() if netem is None else loss_of(netem),
        rate_bps=_rate_bps(netem or queue),
        limit_packets=(netem or queue or _NO_QUEUE).limit_packets,
        seed=0 if netem is None else netem.seed or 0,
        segmentation=segmentation_of(parts.interface),
        mtu=parts.interface.mtu,
        initcwnd=parts.metrics.initcwnd,
        initrwnd=parts.metrics.initrwnd,
        congestion_control=parts.metrics.congestion_control,
        drops=parts.drops,
        largest_packet=parts.largest_packet,
        advmss=parts.metrics.advmss,
        discipline=None if queue is None else queue.discipline,
        queue_bytes=0 if queue is None else queue.queue_bytes,
        ecn=parts.metrics.ecn,
        reorder_ppm=0 if netem is None else ppm(netem.reorder),
        duplicate_ppm=0 if netem is None else ppm(netem.duplicate),
        corrupt_ppm=0 if netem is None else ppm(netem.corrupt),
    )
    lost = f"loses packets {', '.join(map(str, parts.drops))}; " if parts.drops else ""
    too_large = f"loses packets above {parts.largest_packet} bytes; " if parts.largest_packet else ""
    line = qdisc_text(root) if queue is None else queue_text(queue)
    return EndState(asked=asked, applied=applied, text=lost + too_large + line)


_NO_QUEUE = ManagedQueue(discipline="fifo", rate_bytes=0, burst_bytes=0, limit_packets=0, queue_bytes=0)


def _rate_bps(shaper: Netem | ManagedQueue | None) -> int | None:
    return None if shaper is None or shaper.rate_bytes == 0 else 8 * shaper.rate_bytes
