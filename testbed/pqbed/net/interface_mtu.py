"""MTU and segmentation settings of a network interface."""

import errno
import socket
import struct
import sys
from dataclasses import dataclass

from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from pqbed.errors import HostError
from pqbed.net.offloads import Offloads, read_offloads, set_offloads
from pqbed.net.rtnetlink import HEADER, RefusalError, RouteSocket, attributes
from pqbed.spec.link import Segmentation

RTM_NEWLINK, RTM_GETLINK = 16, 18
IFINFMSG_BYTES = 16
IFLA_MTU, IFLA_GSO_MAX_SEGS, IFLA_TSO_MAX_SEGS = 4, 40, 60
DEFAULT_MAX_SEGS = 65535
ALL_OFF = Offloads(tso=False, gso=False, gro=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """`gso_max_segs` bounds what TCP puts into one packet, regardless of the offloads."""

    mtu: int
    gso_max_segs: int
    offloads: Offloads


def read_interface(kernel: RouteSocket, control: socket.socket, ifname: str) -> tuple[int, Interface]:
    """Return the index of `ifname` and its settings."""
    asked = ifinfmsg()
    asked["attrs"] = [["IFLA_IFNAME", ifname]]
    try:
        (data,) = kernel.ask(asked, RTM_GETLINK)
    except RefusalError as refusal:
        raise HostError(f"there is no interface {ifname}: {refusal.reason}") from None
    (index,) = struct.unpack_from("=i", data, HEADER.size + 4)
    values = attributes(data, HEADER.size + IFINFMSG_BYTES)
    return index, Interface(
        mtu=_u32(values[IFLA_MTU]),
        gso_max_segs=_u32(values[IFLA_GSO_MAX_SEGS]),
        offloads=read_offloads(control, ifname),
    )


def set_interface(kernel: RouteSocket, control: socket.socket, ifname: str, wanted: Interface) -> None:
    asked = ifinfmsg()
    asked["attrs"] = [
        ["IFLA_IFNAME", ifname],
        ["IFLA_MTU", wanted.mtu],
        ["IFLA_GSO_MAX_SEGS", wanted.gso_max_segs],
    ]
    try:
        kernel.ask(asked, RTM_NEWLINK)
    except RefusalError as refusal:
        raise HostError(
            f"{ifname} refused MTU {wanted.mtu} with gso_max_segs {wanted.gso_max_segs}: {refusal.reason}",
            hint="this needs NET_ADMIN in the namespace of the interface" if refusal.code == errno.EPERM else "",
        ) from None
    set_offloads(control, ifname, wanted.offloads)


def interface_for(segmentation: Segmentation, mtu: int, original: Interface) -> Interface:
    """Return the settings for a segmentation; `original` is the interface before pqbed touched it.

    TCP builds super-packets with tso and gso off too, and netem treats one as one packet: only
    gso_max_segs 1 puts packets of MTU size on the wire.
    """
    match segmentation:
        case "wire":
            return Interface(mtu=mtu, gso_max_segs=1, offloads=ALL_OFF)
        case "offload-off":
            return Interface(mtu=mtu, gso_max_segs=DEFAULT_MAX_SEGS, offloads=ALL_OFF)
        case "host":
            # tso and gso are on by default; gro is not on every kind of interface (on a veth it is off).
            offloads = Offloads(tso=True, gso=True, gro=original.offloads.gro)
            return Interface(mtu=mtu, gso_max_segs=DEFAULT_MAX_SEGS, offloads=offloads)


def segmentation_of(interface: Interface) -> Segmentation:
    if interface.offloads != ALL_OFF:
        return "host"
    return "wire" if interface.gso_max_segs == 1 else "offload-off"


def _u32(data: bytes) -> int:
    return int.from_bytes(data[:4], sys.byteorder)
