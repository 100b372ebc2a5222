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
from pqbed.net.kernel_features import load_hint
from pqbed.net.rtnetlink import NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, RefusalError, RouteSocket, attributes
from pqbed.net.tc_messages import RTM_NEWQDISC, TCA_KIND, TCA_OPTIONS, attribute, tc_attributes, tc_fields, tc_message

RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46
# TC_ACT_*: go on with the next filter, with the next action, or take the packet without a word to its sender.
NEXT_FILTER, NEXT_ACTION, STEAL = -1, 3, 4
_MATCHALL_ACT = 2
_ACT_KIND, _ACT_OPTIONS = 1, 2
GACT_PARMS, GACT_PROB = 2, 3
GACT_COUNT = struct.Struct("=HHi")
POLICE_TBF, POLICE_MTU_AT = 1, 16

_CLSACT_HANDLE, _CLSACT_PARENT = 0xFFFF_0000, 0xFFFF_FFF1
# TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) of include/uapi/linux/pkt_sched.h.
_EGRESS = 0xFFFF_FFF3
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
_HINT = load_hint("sch_ingress", "cls_matchall", "cls_u32", "act_gact", "act_police")


def _refusal(refusal: RefusalError, ifname: str) -> HostError:
    if refusal.code in (errno.EPERM, errno.EACCES):
        return HostError(
            f"{ifname} may not lose chosen packets: {refusal.reason}", hint="this needs NET_ADMIN in its namespace"
        )
    return HostError(f"this kernel cannot lose chosen packets on {ifname}: {refusal.reason}", hint=_HINT)


class FilterRow:
    """Filters of interface `index` with these priorities, through `kernel`, which others may share.

    Another program may take the hook away with all that is on it: then there is nothing to remove.
    """

    def __init__(self, kernel: RouteSocket, ifname: str, index: int, priorities: range) -> None:
        self._kernel = kernel
        self._ifname = ifname
        self._index = index
        self._priorities = priorities
        self._wanted: tuple[bytes, ...] = ()
        self._present = 0

    def put(self, wanted: Sequence[bytes]) -> None:
        """Set these filters, made by `matchall` and `match`, and no others. Raises HostError with the fix."""
        self.remove()
        self._wanted = tuple(wanted)
        self.restore()

    def restore(self) -> None:
        """Set them anew, after `remove` too; what they count begins at 1."""
        if not self._wanted:
            return
        self.remove()
        self._ask(hook_message(self._index), errno.EEXIST)
        for priority, body in zip(self._priorities, self._wanted, strict=False):
            self._ask(filter_message(self._index, priority, body))
            self._present += 1

    def remove(self) -> None:
        """Remove them until `restore`."""
        for priority in self._priorities[: self._present]:
            gone = _filter(RTM_DELTFILTER, 0, self._index, priority, b"")
            self._ask(gone, errno.ENOENT, errno.EINVAL)  # no such filter; no hook
        self._present = 0

    def read(self) -> dict[int, bytes]:
        """Return the options of the filters by place, as the kernel has them."""
        try:
            answers = self._kernel.ask_bytes(tc_message(RTM_GETTFILTER, NLM_F_DUMP, index=self._index, parent=_EGRESS))
        except RefusalError:
            return {}  # no hook
        options: dict[int, bytes] = {}
        for answer in answers:
            priority = tc_fields(answer)[3] >> 16
            if priority in self._priorities:
                # Some messages of a filter have no options: the kernel lists its tables too.
                place = priority - self._priorities.start
                options[place] = tc_attributes(answer).get(TCA_OPTIONS, b"") or options.get(place, b"")
        return options

    def _ask(self, message: bytearray, *tolerated: int) -> None:
        try:
            self._kernel.ask_bytes(message)
        except RefusalError as refusal:
            if refusal.code not in tolerated:
                raise _refusal(refusal, self._ifname) from None


def hook_message(index: int) -> bytearray:
    """Return the message that gives interface `index` its hook; EEXIST if it has one."""
    flags, body = NLM_F_CREATE | NLM_F_EXCL, attribute(TCA_KIND, b"clsact\0")
    return tc_message(RTM_NEWQDISC, flags, index=index, parent=_CLSACT_PARENT, handle=_CLSACT_HANDLE, body=body)


def filter_message(index: int, priority: int, body: bytes) -> bytearray:
    """Return the message that creates a filter."""
    return _filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, index, priority, body)


def matchall(actions: Sequence[bytes]) -> bytes:
    """Return a filter of all packets with these actions, at most 32."""
    return attribute(TCA_KIND, b"matchall\0") + attribute(TCA_OPTIONS, attribute(_MATCHALL_ACT, _listed(actions)))


def first_action(options: bytes) -> dict[int, bytes]:
    """Return the attributes of the first action of a `matchall` from its options."""
    actions = attributes(attributes(options, 0).get(_MATCHALL_ACT, b""), 0)
    return attributes(attributes(actions.get(1, b""), 0).get(_ACT_OPTIONS, b""), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Four bytes of a packet, `offset` from its IP header, that equal `value` where `mask` has ones."""

    offset: int
    value: int
    mask: int


def match(keys: Sequence[Key], *actions: bytes) -> bytes:
    """Return a filter of the packets that all `keys` match, with these actions."""
    selector = _U32_SELECTOR.pack(_U32_TERMINAL, len(keys)) + b"".join(
        struct.pack(">II", key.mask, key.value) + struct.pack("=ii", key.offset, 0) for key in keys
    )
    options = attribute(_U32_SEL, selector) + attribute(_U32_ACT, _listed(actions))
    return attribute(TCA_KIND, b"u32\0") + attribute(TCA_OPTIONS, options)


def decide(action: int, *, each: int = 0, picked: int = 0) -> bytes:
    """Return an action that decides `action` on every packet, but `picked` on each one whose number `each` divides.

    It counts from 1, and at most to 65,535 (`gact ... random determ`, net/sched/act_gact.c).
    """
    options = attribute(GACT_PARMS, _TC_GEN.pack(0, 0, action, 0, 0))
    if each:
        options += attribute(GACT_PROB, GACT_COUNT.pack(_GACT_DETERM, each, picked))
    return _action(b"gact\0", options)


def steal_larger(frame_bytes: int) -> bytes:
    """Return an action that steals packets whose frame is larger; the next filter sees the others."""
    parms = _TC_POLICE.pack(0, STEAL, 0, 0, frame_bytes, 0, 0, 0)
    options = attribute(POLICE_TBF, parms) + attribute(_POLICE_RESULT, struct.pack("=i", NEXT_FILTER))
    return _action(b"police\0", options)


def mirror_to(device: int) -> bytes:
    """Return an action that copies packets to the interface of this index; the next filter sees them too."""
    parms = _TC_GEN.pack(0, 0, NEXT_FILTER, 0, 0) + struct.pack("=iI", _MIRROR_EGRESS, device)
    return _action(b"mirred\0", attribute(_MIRRED_PARMS, parms))


def _listed(actions: Sequence[bytes]) -> bytes:
    return b"".join(attribute(number, action) for number, action in enumerate(actions, 1))


def _action(kind: bytes, options: bytes) -> bytes:
    return attribute(_ACT_KIND, kind) + attribute(_ACT_OPTIONS, options)


def _filter(kind: int, flags: int, index: int, priority: int, body: bytes) -> bytearray:
    info = priority << 16 | socket.htons(_ETH_P_IP)
    return tc_message(kind, flags, index=index, parent=_EGRESS, info=info, body=body)
