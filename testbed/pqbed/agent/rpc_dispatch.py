"""The parts of a lane one by one, for beds whose parts live in containers of their own."""

from collections.abc import Callable

from pqbed.agent.rpc_server import Calls


def part_calls(role: str, ifname: str, stack: str) -> tuple[Calls, Callable[[], None]]:
    """Return what the part answers, and how it is ended. Loads only what that part needs."""
    if role == "end":
        return _end_calls(ifname)
    if role == "server":
        return _server_calls(stack)
    if role == "tap":
        return _tap_calls(ifname)
    return _client_calls(stack)


def _end_calls(ifname: str) -> tuple[Calls, Callable[[], None]]:
    from pqbed.calibrate.prober import LocalProber  # noqa: PLC0415
    from pqbed.net import sysctls  # noqa: PLC0415
    from pqbed.net.endpoint import ShapedInterface  # noqa: PLC0415
    from pqbed.net.mirror import EgressMirror  # noqa: PLC0415
    from pqbed.net.neighbour import set_neighbour  # noqa: PLC0415
    from pqbed.net.netem_support import check_netem  # noqa: PLC0415
    from pqbed.net.redirects import disable_redirects  # noqa: PLC0415

    end, mirror = ShapedInterface(None, ifname), EgressMirror(None, ifname)
    prober = LocalProber(None, end.queue)

    def probe() -> None:
        check_netem(ifname)

    def neighbour(address: str, mac: str) -> None:
        set_neighbour(ifname, address, mac)

    def quiet_redirects() -> None:
        disable_redirects(ifname)

    calls: Calls = {
        "shape": end.shape,
        "read": end.read,
        "quiet": end.quiet,
        "drain": end.drain,
        "queue": end.queue,
        "probe": probe,
        "neighbour": neighbour,
        "disable_redirects": quiet_redirects,
        "sysctls": sysctls.read,
        "prober_open": prober.open,
        "prober_close": prober.close,
        "prober_mtu": prober.mtu,
        "prober_send": prober.send,
        "prober_collect": prober.collect,
        "prober_connect": prober.connect,
        "prober_accept": prober.accept,
        "prober_send_first_flight": prober.send_first_flight,
        "prober_reset": prober.reset,
        "prober_fill_queue": prober.fill_queue,
        "mirror": mirror.start,
        "unmirror": mirror.stop,
    }
    return calls, end.close


def _server_calls(stack: str) -> tuple[Calls, Callable[[], None]]:
    from pqbed.agent.folder import lane_folder  # noqa: PLC0415
    from pqbed.spec.stacks import stack_named  # noqa: PLC0415
    from pqbed.tls.server import ServerProcess  # noqa: PLC0415

    server = ServerProcess(stack_named(stack), lane_folder())
    calls: Calls = {
        "refusals": server.refusals,
        "start": server.start,
        "credentials": server.credentials,
        "offer": server.offer,
        "alive": server.alive,
        "restart": server.restart,
        "stop": server.stop,
        "support": server.support,
    }
    return calls, server.stop


def _tap_calls(ifname: str) -> tuple[Calls, Callable[[], None]]:
    from pqbed.agent.capture import LocalTap, in_pieces  # noqa: PLC0415

    tap = LocalTap(None, ifname)
    calls: Calls = {"begin": tap.begin, "end": tap.end, "pcap": lambda: in_pieces(tap.pcap())}
    return calls, tap.close


def _client_calls(stack: str) -> tuple[Calls, Callable[[], None]]:
    from pqbed.fetch.drivers import DriverClient  # noqa: PLC0415
    from pqbed.spec.stacks import stack_named  # noqa: PLC0415

    client = DriverClient(stack_named(stack))
    calls: Calls = {
        "refusals": client.refusals,
        "support": client.support,
        "take_credentials": client.take_credentials,
        "fetch": client.fetch,
        "release": client.release,
        "log_keys": client.log_keys,
        "take_keys": client.take_keys,
        "version": client.version,
    }
    return calls, client.release
