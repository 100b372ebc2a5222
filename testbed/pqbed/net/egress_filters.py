"""Filters on an interface's egress hook, as netlink messages: what happens to packets before the qdisc shapes them.

The hook is that of the qdisc `clsact` (sch_handle_egress in net/core/dev.c). Every filter matches all IPv4 packets, and
the one with the smaller priority comes first; an action says whether the next one sees the packet too.
"""

import errno
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from pqbed.errors import HostError
from pqbed.net.netem import RTM_NEWQDISC, TCA_KIND, TCA_OPTIONS
from pqbed.net.rtnetlink import (
    ATTRIBUTE,
    HEADER,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    RefusalError,
    RouteSocket,
)

RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46
# TC_ACT_*: go on with the next filter, with the next action, or take the packet without a word to its sender.
NEXT_FILTER, NEXT_ACTION, STEAL = -1, 3, 4
MATCHALL_ACT = 2
ACT_KIND, ACT_OPTIONS = 1, 2
GACT_PARMS, GACT_PROB = 2, 3
GACT_COUNT = struct.Struct("=HHi")
POLICE_TBF, POLICE_MTU_AT = 1, 16

_CLSACT_HANDLE, _CLSACT_PARENT = 0xFFFF_0000, 0xFFFF_FFF1
# TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) of include/uapi/linux/pkt_sched.h.
_EGRESS = 0xFFFF_FFF3
_TCMSG = struct.Struct("=BxxxiIII")
_TC_GEN = struct.Struct("=IIiii")
_MIRRED_PARMS, _MIRROR_EGRESS = 2, 2
_GACT_DETERM = 2
# struct tc_u32_sel: flags, offshift, number of keys, offmask, off, offoff, hoff, hmask; then the keys.
_U32_SELECTOR = struct.Struct("=BxBx12x")
_U32_SEL, _U32_ACT, _U32_TERMINAL = 5, 7, 1
_ETH_P_IP = 0x0800
# struct tc_police: index, action, limit, burst, mtu, two rates of 12 bytes, two counts, capabilities.
_TC_POLICE = struct.Struct("=IiIII24xiiI")
_POLICE_RESULT = 5
_HINT = (
    "load the modules on the engine's host (modprobe -a sch_ingress cls_matchall cls_u32 act_gact act_police), or use "
    "the uml bed, which brings its own kernel: --bed uml"
)


def ask(kernel: RouteSocket, ifname: str, message: bytearray, *tolerated: int) -> None:
    """Send one of the messages below; refusals with a `tolerated` error are none. Raises HostError with the fix."""
    try:
        kernel.ask_bytes(message)
    except RefusalError as refusal:
        if refusal.code not in tolerated:
            raise _refusal(refusal, ifname) from None


def _refusal(refusal: RefusalError, ifname: str) -> HostError:
    if refusal.code in (errno.EPERM, errno.EACCES):
        return HostError(
            f"{ifname} may not lose chosen packets: {refusal.reason}", hint="this needs NET_ADMIN in its namespace"
        )
    return HostError(f"this kernel cannot lose chosen packets on {ifname}: {refusal.reason}", hint=_HINT)


def hook_message(index: int) -> bytearray:
    """Return the message that gives interface `index` its hook; EEXIST if it has one."""
    body = _TCMSG.pack(0, index, _CLSACT_HANDLE, _CLSACT_PARENT, 0) + _attribute(TCA_KIND, b"clsact\0")
    return _message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, body)


def filter_message(index: int, priority: int, actions: Sequence[bytes]) -> bytearray:
    """Return the message that creates a filter with these actions, at most 32."""
    listed = b"".join(_attribute(number, action) for number, action in enumerate(actions, 1))
    options = _attribute(TCA_KIND, b"matchall\0") + _attribute(TCA_OPTIONS, _attribute(MATCHALL_ACT, listed))
    return _filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, index, priority, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Four bytes of a packet, `offset` from its IP header, that equal `value` where `mask` has ones."""

    offset: int
    value: int
    mask: int


def match_message(index: int, priority: int, keys: Sequence[Key], action: bytes) -> bytearray:
    """Return the message that creates a filter of the packets that all `keys` match."""
    selector = _U32_SELECTOR.pack(_U32_TERMINAL, len(keys)) + b"".join(
        struct.pack(">II", key.mask, key.value) + struct.pack("=ii", key.offset, 0) for key in keys
    )
    options = _attribute(_U32_SEL, selector) + _attribute(_U32_ACT, _attribute(1, action))
    body = _attribute(TCA_KIND, b"u32\0") + _attribute(TCA_OPTIONS, options)
    return _filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, index, priority, body)


def removal_message(index: int, priority: int) -> bytearray:
    """Return the message that removes it; ENOENT if there is none, EINVAL if there is no hook."""
    return _filter(RTM_DELTFILTER, 0, index, priority, b"")


def listing_message(index: int) -> bytearray:
    """Return the message that asks for all filters of the hook."""
    return _message(RTM_GETTFILTER, NLM_F_DUMP, _TCMSG.pack(0, index, 0, _EGRESS, 0))


def decide(action: int, *, each: int = 0, picked: int = 0) -> bytes:
    """Return an action that decides `action` on every packet, but `picked` on each one whose number `each` divides.

    It counts from 1, and at most to 65,535 (`gact ... random determ`, net/sched/act_gact.c).
    """
    options = _attribute(GACT_PARMS, _TC_GEN.pack(0, 0, action, 0, 0))
    if each:
        options += _attribute(GACT_PROB, GACT_COUNT.pack(_GACT_DETERM, each, picked))
    return _action(b"gact\0", options)


def steal_larger(frame_bytes: int) -> bytes:
    """Return an action that steals packets whose frame is larger; the next filter sees the others."""
    parms = _TC_POLICE.pack(0, STEAL, 0, 0, frame_bytes, 0, 0, 0)
    options = _attribute(POLICE_TBF, parms) + _attribute(_POLICE_RESULT, struct.pack("=i", NEXT_FILTER))
    return _action(b"police\0", options)


def mirror_to(device: int) -> bytes:
    """Return an action that copies packets to the interface of this index; the next filter sees them too."""
    parms = _TC_GEN.pack(0, 0, NEXT_FILTER, 0, 0) + struct.pack("=iI", _MIRROR_EGRESS, device)
    return _action(b"mirred\0", _attribute(_MIRRED_PARMS, parms))


def _action(kind: bytes, options: bytes) -> bytes:
    return _attribute(ACT_KIND, kind) + _attribute(ACT_OPTIONS, options)


def _filter(kind: int, flags: int, index: int, priority: int, body: bytes) -> bytearray:
    info = priority << 16 | socket.htons(_ETH_P_IP)
    return _message(kind, flags, _TCMSG.pack(0, index, 0, _EGRESS, info) + body)


def _attribute(kind: int, payload: bytes) -> bytes:
    length = ATTRIBUTE.size + len(payload)
    return ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def _message(kind: int, flags: int, body: bytes) -> bytearray:
    header = HEADER.pack(HEADER.size + len(body), kind, flags | NLM_F_REQUEST | NLM_F_ACK, 0, 0)
    return bytearray(header + body)
