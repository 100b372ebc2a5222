"""Check for netem in a kernel, by creating one: its module may be absent, not loadable from a container, or too old.

Too old is a netem without a seed (TCA_NETEM_PRNG_SEED, net/sched/sch_netem.c from Linux 6.6 on): with loss or jitter no
two fetches could be given the same random stream.
"""

import errno
import os
import socket

from pqbed.errors import HostError
from pqbed.net.interface_mtu import read_interface
from pqbed.net.netem import HANDLES, Netem, QdiscMessage, message
from pqbed.net.netem_hints import SEED_HINT
from pqbed.net.netem_refusals import refusal_to_shape
from pqbed.net.root_qdisc import RootQdiscControl
from pqbed.net.rtnetlink import NLM_F_CREATE, NLM_F_EXCL, RefusalError, RouteSocket
from pqbed.net.run_in_namespace import open_socket
from pqbed.net.tc_messages import RTM_DELQDISC, RTM_NEWQDISC, TC_H_ROOT

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
    """Create a netem without effect on `ifname`, read its seed back and remove it; an existing one is read only.

    Raises HostError with the fix if this kernel has no netem, or one that takes no seed.
    """
    kernel = RouteSocket(netns)
    try:
        with open_socket(netns, socket.AF_INET, socket.SOCK_DGRAM) as control:
            index, _ = read_interface(kernel, control, ifname)
        _try_netem(kernel, ifname, index)
    finally:
        kernel.close()


def _try_netem(kernel: RouteSocket, ifname: str, index: int) -> None:
    present = False
    try:
        kernel.ask(message(index, IDLE), RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL)
    except RefusalError as refusal:
        if refusal.code != errno.EEXIST:
            raise refusal_to_shape(refusal, ifname) from None
        present = True
    netem = RootQdiscControl(kernel, ifname, index).read().netem
    if not present:
        _remove_idle(kernel, index)
    if netem is not None and netem.seed is None:
        raise HostError(f"the netem of this kernel ({os.uname().release}) takes no seed", hint=SEED_HINT)


def _remove_idle(kernel: RouteSocket, index: int) -> None:
    gone = QdiscMessage()
    gone["index"] = index
    gone["parent"] = TC_H_ROOT
    gone["handle"] = HANDLES[IDLE.distribution]
    kernel.ask(gone, RTM_DELQDISC)
