"""Initial windows and congestion control, as metrics of the routes of an interface."""

from dataclasses import dataclass
from typing import Any

from pyroute2.netlink.rtnl.rtmsg import rtmsg

from pqbed.errors import HostError
from pqbed.net.rtnetlink import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    RefusalError,
    RouteSocket,
)

RTM_NEWROUTE, RTM_GETROUTE = 24, 26
AF_INET = 2
TABLE_MAIN, TABLE_LOCAL = 254, 255
TYPE_UNICAST, TYPE_LOCAL = 1, 2
SCOPE_LINK, SCOPE_HOST = 253, 254
# RTAX_FEATURE_ECN of include/uapi/linux/rtnetlink.h: connections over this route ask for ECN, and are granted it.
FEATURE_ECN = 1
# What identifies a route; its metrics are replaced as a whole.
KEPT = ("RTA_TABLE", "RTA_DST", "RTA_PREFSRC", "RTA_PRIORITY", "RTA_OIF")
FIELDS = ("family", "dst_len", "src_len", "tos", "table", "proto", "scope", "type", "flags")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMetrics:
    """Windows in segments; `advmss` is what SYNs offer, in bytes; `ecn`: ask for ECN.

    0 and "" leave it to the kernel.
    """

    initcwnd: int = 0
    initrwnd: int = 0
    congestion_control: str = ""
    advmss: int = 0
    ecn: bool = False


def read_routes(kernel: RouteSocket, index: int) -> list[Any]:
    """Return the subnet routes of interface `index`; for the loopback its local ones."""
    asked = rtmsg()
    asked["family"] = AF_INET
    routes = []
    for data in kernel.ask(asked, RTM_GETROUTE, NLM_F_DUMP):
        route = rtmsg(data)
        route.decode()
        subnet = (route["table"], route["type"], route["scope"]) == (TABLE_MAIN, TYPE_UNICAST, SCOPE_LINK)
        loopback = index == 1 and (route["table"], route["type"]) == (TABLE_LOCAL, TYPE_LOCAL)
        if (subnet or loopback) and route.get_attr("RTA_OIF") == index:
            routes.append(route)
    return routes


def metrics_of(route: Any) -> RouteMetrics:
    metrics = route.get_attr("RTA_METRICS")
    if metrics is None:
        return RouteMetrics()
    return RouteMetrics(
        initcwnd=metrics.get_attr("RTAX_INITCWND") or 0,
        initrwnd=metrics.get_attr("RTAX_INITRWND") or 0,
        congestion_control=metrics.get_attr("RTAX_CC_ALGO") or "",
        advmss=metrics.get_attr("RTAX_ADVMSS") or 0,
        ecn=bool((metrics.get_attr("RTAX_FEATURES") or 0) & FEATURE_ECN),
    )


def set_metrics(kernel: RouteSocket, route: Any, wanted: RouteMetrics) -> None:
    """Replace `route` by itself with other metrics. Raises HostError for an unknown congestion control."""
    changed = rtmsg()
    for field in FIELDS:
        changed[field] = route[field]
    kept = [[name, route.get_attr(name)] for name in KEPT if route.get_attr(name) is not None]
    changed["attrs"] = [*kept, ["RTA_METRICS", {"attrs": _encoded(wanted)}]]
    try:
        kernel.ask(changed, RTM_NEWROUTE, NLM_F_REPLACE | NLM_F_CREATE)
    except RefusalError as refusal:
        raise HostError(
            f"the kernel refused initial windows {wanted.initcwnd}/{wanted.initrwnd} and congestion control "
            f"{wanted.congestion_control or '-'} on a route: {refusal.reason}",
            hint="sysctl net.ipv4.tcp_available_congestion_control names what this kernel has",
        ) from None


def _encoded(wanted: RouteMetrics) -> list[list[Any]]:
    named = {
        "RTAX_INITCWND": wanted.initcwnd,
        "RTAX_INITRWND": wanted.initrwnd,
        "RTAX_CC_ALGO": wanted.congestion_control,
        "RTAX_ADVMSS": wanted.advmss,
        "RTAX_FEATURES": FEATURE_ECN * wanted.ecn,
    }
    return [[name, value] for name, value in named.items() if value]
