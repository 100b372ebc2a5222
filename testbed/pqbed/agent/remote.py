"""The parts of a lane behind channels: the same methods, spoken as calls (see roles.py)."""

from collections.abc import Sequence

from pqbed.agent.channel import Channel
from pqbed.fetch.request import FetchRequest
from pqbed.net.shape import EndShape
from pqbed.net.state import EndState
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.tls.credentials import Credentials
from pqbed.tls.served import Served
from pqbed.tls.server import FIRST_PORT
from pqbed.tls.support import Support

Nothing = type(None)


class RemoteEnd:
    """An `End` behind a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def shape(self, shape: EndShape) -> EndState:
        return self._channel.call("shape", EndState, shape=shape)

    def read(self) -> EndState:
        return self._channel.call("read", EndState)

    def quiet(self) -> None:
        self._channel.call("quiet", Nothing)

    def drain(self) -> int:
        return self._channel.call("drain", int)

    def probe(self) -> None:
        """Raise HostError where this end's kernel has no netem."""
        self._channel.call("probe", Nothing)

    def neighbour(self, address: str, mac: str) -> None:
        """Fix where the other end is."""
        self._channel.call("neighbour", Nothing, address=address, mac=mac)

    def stop_redirects(self) -> None:
        """Keep this end's kernel from telling of shorter ways than over a stage."""
        self._channel.call("stop_redirects", Nothing)

    def sysctls(self) -> dict[str, str]:
        """Return the kernel settings of this end's namespace."""
        return self._channel.call("sysctls", dict[str, str])


class RemoteServer:
    """A `Server` behind a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        return self._channel.call("refusals", dict[str, str], profiles=tuple(profiles))

    def start(self, profiles: Sequence[Profile], first_port: int = FIRST_PORT) -> tuple[Served, ...]:
        return self._channel.call("start", tuple[Served, ...], profiles=tuple(profiles), first_port=first_port)

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

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def refusals(self, profiles: Sequence[Profile]) -> dict[str, str]:
        return self._channel.call("refusals", dict[str, str], profiles=tuple(profiles))

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        self._channel.secret_call("take_credentials", Nothing, credentials=tuple(credentials))

    def fetch(self, request: FetchRequest) -> Timings:
        return self._channel.call("fetch", Timings, request=request)

    def release(self) -> None:
        self._channel.call("release", Nothing)

    def version(self) -> str:
        return self._channel.call("version", str)
