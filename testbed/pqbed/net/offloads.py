"""Segmentation offloads of an interface, by ethtool's ioctls.

Three short calls; netlink's feature bit sets would need a dump of some sixty names.
"""

import array
import fcntl
import socket
import struct
from dataclasses import dataclass

from pqbed.errors import HostError

SIOCETHTOOL = 0x8946
IFNAME_BYTES = 16
GET_TSO, SET_TSO = 0x1E, 0x1F
GET_GSO, SET_GSO = 0x23, 0x24
GET_GRO, SET_GRO = 0x2B, 0x2C


@dataclass(frozen=True, slots=True, kw_only=True)
class Offloads:
    tso: bool
    gso: bool
    gro: bool


def read_offloads(control: socket.socket, ifname: str) -> Offloads:
    """Return the offloads of `ifname` in the namespace of `control`, any socket."""
    return Offloads(
        tso=bool(_call(control, ifname, GET_TSO)),
        gso=bool(_call(control, ifname, GET_GSO)),
        gro=bool(_call(control, ifname, GET_GRO)),
    )


def set_offloads(control: socket.socket, ifname: str, wanted: Offloads) -> None:
    _call(control, ifname, SET_TSO, int(wanted.tso))
    _call(control, ifname, SET_GSO, int(wanted.gso))
    _call(control, ifname, SET_GRO, int(wanted.gro))


def _call(control: socket.socket, ifname: str, command: int, value: int = 0) -> int:
    """Do one `struct ethtool_value` call: struct ifreq is the name and a pointer to it."""
    argument = array.array("I", [command, value])
    address, _ = argument.buffer_info()
    request = struct.pack(f"={IFNAME_BYTES}sQ16x", ifname.encode(), address)
    try:
        fcntl.ioctl(control, SIOCETHTOOL, request)
    except OSError as error:
        raise HostError(
            f"the offloads of {ifname} cannot be read or set: {error.strerror}",
            hint="this needs NET_ADMIN in the namespace of the interface",
        ) from None
    return argument[1]
