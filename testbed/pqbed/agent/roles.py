"""The parts of a lane one by one, for beds whose parts live in containers of their own."""

from collections.abc import Callable

from pqbed.agent.serve import Calls


def part_calls(role: str, ifname: str) -> tuple[Calls, Callable[[], None]]:
    """Return what the part answers, and how it is ended. Loads only what that part needs."""
    if role == "end":
        return _end_calls(ifname)
    if role == "server":
        return _server_calls()
    if role == "tap":
        return _tap_calls(ifname)
    return _client_calls()


def _end_calls(ifname: str) -> tuple[Calls, Callable[[], None]]:
    from pqbed.net import sysctls  # noqa: PLC0415
    from pqbed.net.end import End  # noqa: PLC0415
    from pqbed.net.mirror import Mirror  # noqa: PLC0415
    from pqbed.net.neighbour import fix_neighbour  # noqa: PLC0415
    from pqbed.net.probe import netem_support  # noqa: PLC0415

    end, mirror = End(None, ifname), Mirror(None, ifname)

    def probe() -> None:
        netem_support(ifname)

    def neighbour(address: str, mac: str) -> None:
        fix_neighbour(ifname, address, mac)

    calls: Calls = {
        "shape": end.shape,
        "read": end.read,
        "quiet": end.quiet,
        "probe": probe,
        "neighbour": neighbour,
        "sysctls": sysctls.read,
        "mirror": mirror.start,
        "unmirror": mirror.stop,
    }
    return calls, end.close


def _server_calls() -> tuple[Calls, Callable[[], None]]:
    from pqbed.agent.lane import lane_folder  # noqa: PLC0415
    from pqbed.tls.server import Server  # noqa: PLC0415

    server = Server(lane_folder())
    calls: Calls = {
        "start": server.start,
        "credentials": server.credentials,
        "offer": server.offer,
        "alive": server.alive,
        "restart": server.restart,
        "support": server.support,
    }
    return calls, server.stop


def _tap_calls(ifname: str) -> tuple[Calls, Callable[[], None]]:
    from pqbed.agent.tap import Tap, in_pieces  # noqa: PLC0415

    tap = Tap(None, ifname)
    calls: Calls = {"begin": tap.begin, "end": tap.end, "pcap": lambda: in_pieces(tap.pcap())}
    return calls, tap.close


def _client_calls() -> tuple[Calls, Callable[[], None]]:
    from pqbed.fetch.client import Client  # noqa: PLC0415

    client = Client()
    calls: Calls = {
        "take_credentials": client.take_credentials,
        "fetch": client.fetch,
        "release": client.release,
        "log_keys": client.log_keys,
        "take_keys": client.take_keys,
        "version": client.version,
    }
    return calls, client.release
