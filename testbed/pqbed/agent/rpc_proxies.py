"""The parts of a lane behind channels: the same methods, spoken as calls (see rpc_dispatch.py)."""

import base64
from collections.abc import Iterable, Sequence

from pqbed.agent.rpc_client import RpcClient
from pqbed.calibrate.prober import Arrivals, FirstFlight, QueueFill, Train
from pqbed.fetch.request import FetchRequest
from pqbed.net.capture import Room
from pqbed.net.state import EndState
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.spec.shape import EndShape
from pqbed.tls.credentials import Credentials
from pqbed.tls.served_profile import ServedProfile
from pqbed.tls.server import FIRST_PORT
from pqbed.tls.support import Support

Nothing = type(None)


def join_pieces(pieces: Iterable[str]) -> bytes:
    """Return what `agent.capture.in_pieces` took apart."""
    return b"".join(base64.b64decode(piece) for piece in pieces)


class RemoteEnd:
    """An `End` behind a channel."""

    def __init__(self, channel: RpcClient) -> None:
        self._channel = channel

    def shape(self, shape: EndShape) -> EndState:
        return self._channel.call("shape", EndState, shape=shape)

    def read(self) -> EndState:
        return self._channel.call("read", EndState)

    def quiet(self) -> None:
        self._channel.call("quiet", Nothing)

    def queue(self) -> tuple[int, int]:
        packets, queued_bytes = self._channel.call("queue", tuple[int, ...])
        return packets, queued_bytes

    def drain(self) -> int:
        return self._channel.call("drain", int)

    def probe(self) -> None:
        """Raise HostError where this end's kernel has no netem."""
        self._channel.call("probe", Nothing)

    def neighbour(self, address: str, mac: str) -> None:
        """Fix where the other end is."""
        self._channel.call("neighbour", Nothing, address=address, mac=mac)

    def disable_redirects(self) -> None:
        """Keep this end's kernel from telling of shorter ways than over a stage."""
        self._channel.call("disable_redirects", Nothing)

    def sysctls(self) -> dict[str, str]:
        """Return the kernel settings of this end's namespace."""
        return self._channel.call("sysctls", dict[str, str])


class RemoteProber:
    """A `Prober` (calibrate/measure.py) behind the channel of its end: there it may look into netem."""

    def __init__(self, channel: RpcClient) -> None:
        self._channel = channel

    def open(self, own: str, other: str) -> None:
        self._channel.call("prober_open", Nothing, own=own, other=other)

    def close(self) -> None:
        self._channel.call("prober_close", Nothing)

    def mtu(self) -> int:
        return self._channel.call("prober_mtu", int)

    def send(self, train: Train) -> None:
        self._channel.call("prober_send", Nothing, train=train)

    def collect(self, train: Train, wait_ns: int, patience_ns: int) -> Arrivals:
        return self._channel.call("prober_collect", Arrivals, train=train, wait_ns=wait_ns, patience_ns=patience_ns)

    def connect(self, timeout_ns: int) -> bool:
        return self._channel.call("prober_connect", bool, timeout_ns=timeout_ns)

    def accept(self, timeout_ns: int) -> bool:
        return self._channel.call("prober_accept", bool, timeout_ns=timeout_ns)

    def send_first_flight(self, pause_ns: int) -> FirstFlight:
        return self._channel.call("prober_send_first_flight", FirstFlight, pause_ns=pause_ns)

    def reset(self) -> None:
        self._channel.call("prober_reset", Nothing)

    def fill_queue(self, most: int) -> QueueFill:
        return self._channel.call("prober_fill_queue", QueueFill, most=most)


class RemoteServer:
    """A `Server` behind a channel."""

    def __init__(self, channel: RpcClient) -> None:
        self._channel = channel

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        return self._channel.call("refusals", dict[str, str], profiles=tuple(profiles))

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[ServedProfile, ...]:
        return self._channel.call("start", tuple[ServedProfile, ...], profiles=tuple(profiles), first_port=first_port)

    def credentials(self) -> tuple[Credentials, ...]:
        return self._channel.secret_call("credentials", tuple[Credentials, ...])

    def offer(self, size_bytes: int) -> None:
        self._channel.call("offer", Nothing, size_bytes=size_bytes)

    def alive(self) -> bool:
        return self._channel.call("alive", bool)

    def restart(self) -> None:
        self._channel.call("restart", Nothing)

    def stop(self) -> None:
        self._channel.call("stop", Nothing)

    def support(self) -> Support:
        return self._channel.call("support", Support)


class RemoteClient:
    """A `Client` behind a channel."""

    def __init__(self, channel: RpcClient) -> None:
        self._channel = channel

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        return self._channel.call("refusals", dict[str, str], profiles=tuple(profiles))

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        self._channel.secret_call("take_credentials", Nothing, credentials=tuple(credentials))

    def fetch(self, request: FetchRequest) -> Timings:
        return self._channel.call("fetch", Timings, request=request)

    def release(self) -> None:
        self._channel.call("release", Nothing)

    def log_keys(self) -> None:
        self._channel.call("log_keys", Nothing)

    def take_keys(self) -> str:
        return self._channel.secret_call("take_keys", str)

    def version(self) -> str:
        return self._channel.call("version", str)


class RemoteMirror:
    """A `Mirror` behind the channel of its end."""

    def __init__(self, channel: RpcClient) -> None:
        self._channel = channel

    def start(self) -> None:
        self._channel.call("mirror", Nothing)

    def stop(self) -> None:
        self._channel.call("unmirror", Nothing)


class RemoteTap:
    """A `Tap` behind a channel."""

    def __init__(self, channel: RpcClient) -> None:
        self._channel = channel

    def begin(self, room: Room) -> None:
        self._channel.call("begin", Nothing, room=room)

    def end(self) -> int:
        return self._channel.call("end", int)

    def pcap(self) -> bytes:
        return join_pieces(self._channel.stream("pcap", str))
