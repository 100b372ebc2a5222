"""Mirror of what an interface sends, taken before its link shapes it.

A packet socket sees a sent packet behind the qdisc: already delayed by netem, and never one that netem lost. So the
interface's egress hook, which comes before the qdisc (sch_handle_egress in net/core/dev.c), copies every packet to a
device that leads nowhere, and the capture listens there.
"""

import contextlib
import errno

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from pqbed.errors import HostError
from pqbed.net.egress_filters import filter_message, hook_message, matchall, mirror_to
from pqbed.net.kernel_features import TRACE, load_hint
from pqbed.net.packet_ring_capture import MIRROR
from pqbed.net.rtnetlink import RefusalError, RouteSocket
from pqbed.net.run_in_namespace import run_in

_PRIORITY = 1


class EgressMirror:
    """Copies what interface `ifname` sends, in the namespace at path `netns` (None: the present one)."""

    def __init__(self, netns: str | None, ifname: str) -> None:
        self._netns = netns
        self._ifname = ifname

    def start(self) -> None:
        """Create the device `MIRROR` and copy to it what the interface sends. Raises HostError if the kernel cannot."""
        run_in(self._netns, lambda: _start(self._ifname))

    def stop(self) -> None:
        """Remove the copying and its device. Safe to call if there is none."""
        run_in(self._netns, lambda: _stop(self._ifname))


def _start(ifname: str) -> None:
    _stop(ifname)
    with IPRoute() as kernel:
        (index,) = kernel.link_lookup(ifname=ifname)
        try:
            kernel.link("add", ifname=MIRROR, kind="dummy")
            (mirror,) = kernel.link_lookup(ifname=MIRROR)
            kernel.link("set", index=mirror, state="up")
            _mirror(index, mirror)
        except (NetlinkError, RefusalError) as error:
            _stop(ifname)
            raise _refusal(error, ifname) from error


def _mirror(index: int, mirror: int) -> None:
    raw = RouteSocket(None)
    try:
        raw.ask_bytes(hook_message(index))
        raw.ask_bytes(filter_message(index, _PRIORITY, matchall((mirror_to(mirror),))))
    finally:
        raw.close()


def _stop(ifname: str) -> None:
    with IPRoute() as kernel:
        for index in kernel.link_lookup(ifname=ifname):
            with contextlib.suppress(NetlinkError):
                kernel.tc("del", "clsact", index)
        for mirror in kernel.link_lookup(ifname=MIRROR):
            kernel.link("del", index=mirror)


def _refusal(error: NetlinkError | RefusalError, ifname: str) -> HostError:
    reason = error.args[-1]
    if error.code in (errno.EPERM, errno.EACCES):
        return HostError(f"{ifname} may not be traced: {reason}", hint="this needs NET_ADMIN in its namespace")
    return HostError(
        f"this kernel cannot mirror what {ifname} sends: {reason}",
        hint=load_hint(*(module.name for module in TRACE.modules)),
    )
