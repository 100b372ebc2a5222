"""Traffic-control messages (tcmsg) as bytes: queueing disciplines and filters of an interface.

netem has pyroute2's encoding instead (netem.py): its settings are many and nested.
"""

import struct
import sys

from pqbed.net.rtnetlink import ATTRIBUTE, HEADER, NLM_F_ACK, NLM_F_REQUEST, attributes

RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
TC_H_ROOT = 0xFFFFFFFF
TCA_KIND, TCA_OPTIONS, TCA_STATS2 = 1, 2, 7
# In TCA_STATS2: struct gnet_stats_queue (qlen, backlog, drops, ...), and what the kind of qdisc counts by itself.
TCA_STATS_QUEUE, TCA_STATS_APP = 3, 4
DROPS_AT = 8

# struct tcmsg: family, index, handle, parent, info.
_TCMSG = struct.Struct("=BxxxiIII")
ATTRIBUTES_AT = HEADER.size + _TCMSG.size


def tc_message(
    kind: int, flags: int, *, index: int = 0, parent: int = 0, handle: int = 0, info: int = 0, body: bytes = b""
) -> bytearray:
    """Return a whole message with these attributes; the socket sets its number."""
    length = ATTRIBUTES_AT + len(body)
    header = HEADER.pack(length, kind, flags | NLM_F_REQUEST | NLM_F_ACK, 0, 0)
    return bytearray(header + _TCMSG.pack(0, index, handle, parent, info) + body)


def tc_fields(data: bytes) -> tuple[int, int, int, int]:
    """Return index, handle, parent and info of a message."""
    _, index, handle, parent, info = _TCMSG.unpack_from(data, HEADER.size)
    return index, handle, parent, info


def tc_attributes(data: bytes) -> dict[int, bytes]:
    return attributes(data, ATTRIBUTES_AT)


def attribute(kind: int, payload: bytes) -> bytes:
    """Return one attribute, filled up to the boundary of the next."""
    length = ATTRIBUTE.size + len(payload)
    return ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def u32_at(data: bytes, offset: int) -> int:
    """Return a number of four bytes; 0 beyond the end of `data`."""
    return int.from_bytes(data[offset : offset + 4], sys.byteorder)


def number_of(values: dict[int, bytes], kind: int) -> int:
    """Return the attribute `kind` as a number of whatever size it has; 0 without it."""
    return int.from_bytes(values.get(kind, b""), sys.byteorder)
