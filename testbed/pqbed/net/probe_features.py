"""Probe for the modules of kernel_features.py: each is used once, which also loads it where the kernel may.

For a namespace that ends with the probe: what it creates there stays.
"""

import errno
import socket
from collections.abc import Callable
from functools import partial

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from pqbed.net import egress_filters as filters
from pqbed.net.interface_mtu import read_interface
from pqbed.net.managed_queue import ManagedQueue, ManagedQueueControl, MissingQueueError
from pqbed.net.rtnetlink import RefusalError, RouteSocket
from pqbed.spec.link import QueueDiscipline

ABSENT = (errno.ENOENT, errno.EOPNOTSUPP)
_DUMMY = "pqbed-probe"
_ANY = (filters.Key(offset=0, value=0, mask=0),)
_DISCIPLINES: tuple[QueueDiscipline, ...] = ("fifo", "fq_codel", "pie", "cake")
_BBR = "tcp_bbr"


def missing_modules(ifname: str) -> tuple[str, ...]:
    """Return the modules that the kernel turned out to lack. Raises HostError for `ifname` that is not there."""
    kernel = RouteSocket(None)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as control:
            index, _ = read_interface(kernel, control, ifname)
            bbr = () if _has_bbr(control) else (_BBR,)
        return (*_missing_dummy(), *_missing_filters(kernel, index), *_missing_queues(kernel, ifname, index), *bbr)
    finally:
        kernel.close()


def _missing_dummy() -> tuple[str, ...]:
    with IPRoute() as kernel:
        try:
            kernel.link("add", ifname=_DUMMY, kind="dummy")
        except NetlinkError as error:
            if error.code in ABSENT:
                return ("dummy",)
            raise
    return ()


def _missing_filters(kernel: RouteSocket, index: int) -> tuple[str, ...]:
    """Ask for the hook, then for filters without actions, then for each action in a filter that there is."""
    if not _takes(kernel, filters.hook_message(index)):
        return ("sch_ingress",)
    kinds: dict[str, Callable[..., bytes]] = {
        "cls_matchall": lambda *actions: filters.matchall(actions),
        "cls_u32": partial(filters.match, _ANY),
    }
    bare = {
        name: filters.filter_message(index, number, build()) for number, (name, build) in enumerate(kinds.items(), 1)
    }
    present = [name for name, message in bare.items() if _takes(kernel, message)]
    missing = [name for name in kinds if name not in present]
    if present:
        actions = {
            "act_gact": filters.decide(filters.NEXT_FILTER, each=2, picked=filters.NEXT_ACTION),
            "act_police": filters.steal_larger(0xFFFF),
            "act_mirred": filters.mirror_to(index),
        }
        build = kinds[present[0]]
        missing += [
            name
            for number, (name, action) in enumerate(actions.items(), 1 + len(kinds))
            if not _takes(kernel, filters.filter_message(index, number, build(action)))
        ]
    return tuple(missing)


def _takes(kernel: RouteSocket, message: bytearray) -> bool:
    """Return whether the kernel takes a message; any refusal but that something is absent is raised."""
    try:
        kernel.ask_bytes(message)
    except RefusalError as refusal:
        if refusal.code in ABSENT:
            return False
        raise
    return True


def _missing_queues(kernel: RouteSocket, ifname: str, index: int) -> tuple[str, ...]:
    missing = []
    for discipline in _DISCIPLINES:
        queue = ManagedQueue(
            discipline=discipline, rate_bytes=125_000, burst_bytes=1_514, limit_packets=100, queue_bytes=100_000
        )
        control = ManagedQueueControl(kernel, ifname, index)
        try:
            control.put(queue)
        except MissingQueueError as error:
            missing.append(error.module)
        control.remove()
    return tuple(dict.fromkeys(missing))


def _has_bbr(control: socket.socket) -> bool:
    try:
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    except OSError as error:
        return error.errno not in ABSENT
    return True
