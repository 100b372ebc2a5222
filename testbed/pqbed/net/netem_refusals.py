"""Error messages for qdisc changes that the kernel refuses."""

import errno

from pqbed.errors import HostError
from pqbed.net.netem_hints import NO_NETEM_HINT
from pqbed.net.rtnetlink import RefusalError


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
