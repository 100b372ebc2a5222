"""ICMP redirects of a router stage that forwards out of the receiving interface: disabled."""

import struct
from pathlib import Path

from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from pqbed.errors import HostError
from pqbed.net.rtnetlink import ATTRIBUTE, RefusalError, RouteSocket, encode

# include/uapi/linux/: rtnetlink.h, if_link.h and ip.h
RTM_SETLINK = 19
IFLA_AF_SPEC, AF_INET, IFLA_INET_CONF = 26, 2, 1
DEVCONF_SEND_REDIRECTS = 6


def disable_redirects(ifname: str) -> None:
    """Set send_redirects of `ifname` to 0, by netlink: in a container /proc/sys is read-only. Needs NET_ADMIN.

    The setting for all interfaces must be 0 too (net/sysctls.py): the kernel obeys either.
    """
    kernel = RouteSocket(None)
    asked = ifinfmsg()
    asked["attrs"] = [["IFLA_IFNAME", ifname]]
    message = encode(asked, RTM_SETLINK, 0)
    flag = _attribute(DEVCONF_SEND_REDIRECTS, struct.pack("=I", 0))
    message += _attribute(IFLA_AF_SPEC, _attribute(AF_INET, _attribute(IFLA_INET_CONF, flag)))
    struct.pack_into("=I", message, 0, len(message))
    try:
        kernel.ask_bytes(message)
    except RefusalError as refusal:
        raise HostError(
            f"send_redirects of {ifname} cannot be set: {refusal.reason}",
            hint="this needs NET_ADMIN in the namespace of the interface",
        ) from None
    finally:
        kernel.close()
    for name in ("all", ifname):
        if Path(f"/proc/sys/net/ipv4/conf/{name}/send_redirects").read_text().strip() != "0":
            raise HostError(f"send_redirects of {name} is not 0 after it was set")


def _attribute(kind: int, data: bytes) -> bytes:
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)
