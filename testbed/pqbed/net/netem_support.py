"""Check for netem in a kernel, by creating one: its module may be absent, or not loadable from a container."""

import errno
import socket

from pqbed.errors import HostError
from pqbed.net.interface import read_interface
from pqbed.net.namespace import open_socket
from pqbed.net.netem import HANDLES, RTM_DELQDISC, RTM_NEWQDISC, TC_H_ROOT, Netem, QdiscMessage, message
from pqbed.net.rtnetlink import NLM_F_CREATE, NLM_F_EXCL, RefusalError, RouteSocket

NO_NETEM_HINT = (
    "load it on the engine's host (modprobe sch_netem; Debian and Ubuntu cloud kernels have it in "
    "linux-modules-extra), or use the uml bed, which brings its own kernel: --bed uml"
)
IDLE = Netem(
    delay_ns=0,
    jitter_ns=0,
    distribution="uniform",
    loss=0,
    burst_loss=None,
    rate_bytes=0,
    limit_packets=1000,
    seed=1,
)


def check_netem(ifname: str, netns: str | None = None) -> None:
    """Create a netem without effect on `ifname` and remove it; an existing one is proof enough.

    Raises HostError with the fix.
    """
    kernel = RouteSocket(netns)
    try:
        with open_socket(netns, socket.AF_INET, socket.SOCK_DGRAM) as control:
            index, _ = read_interface(kernel, control, ifname)
        _try_netem(kernel, ifname, index)
    finally:
        kernel.close()


def _try_netem(kernel: RouteSocket, ifname: str, index: int) -> None:
    try:
        kernel.ask(message(index, IDLE), RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL)
    except RefusalError as refusal:
        if refusal.code == errno.EEXIST:
            return
        raise refusal_to_shape(refusal, ifname) from None
    gone = QdiscMessage()
    gone["index"] = index
    gone["parent"] = TC_H_ROOT
    gone["handle"] = HANDLES[IDLE.distribution]
    kernel.ask(gone, RTM_DELQDISC)


def refusal_to_shape(refusal: RefusalError, ifname: str) -> HostError:
    """Return the error, with its fix, that a refused qdisc message means.

    A kernel with no such module answers ENOENT: `Specified qdisc kind is unknown`, an older one
    `Specified qdisc not found`.
    """
    if refusal.code in (errno.EPERM, errno.EACCES):
        return HostError(
            f"{ifname} may not be shaped: {refusal.reason}",
            hint="shaping needs NET_ADMIN in the namespace of the interface: run as root, or give the "
            "shaping container --cap-add NET_ADMIN; or use the uml bed, which needs no privilege: --bed uml",
        )
    if refusal.code == errno.EOPNOTSUPP:
        return HostError(
            f"this kernel cannot shape {ifname}: {refusal.reason}",
            hint="it is not a Linux kernel with traffic control (gVisor, WSL1): use the uml bed, --bed uml",
        )
    if refusal.code == errno.ENODEV:
        return HostError(f"{ifname} is gone: {refusal.reason}", hint="its container or lane has ended")
    if refusal.code == errno.ENOENT and refusal.reason.startswith("Qdisc not found"):
        return HostError(f"the netem of {ifname} is gone: {refusal.reason}", hint="another program has removed it")
    if refusal.code == errno.ENOENT:
        return HostError(f"this kernel has no sch_netem: {refusal.reason}", hint=NO_NETEM_HINT)
    return HostError(f"the kernel refused netem on {ifname}: {refusal.reason} (errno {refusal.code})")
