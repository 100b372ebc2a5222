"""TCP settings of the two ends."""

from dataclasses import dataclass

# RFC 6928, and what Linux does (TCP_INIT_CWND in include/net/tcp.h).
DEFAULT_INITCWND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """`initcwnd_*` in segments. `initrwnd` 0: the kernel's.

    `ecn`: both ends ask for explicit congestion notification, which queues that can mark packets need (RFC 3168).
    `fast_open`: the client's first bytes go with its SYN (RFC 7413), by a cookie that both sides do without.
    `congestion_control_client` None: the server's, which is `congestion_control`.
    """

    initcwnd_server: int = DEFAULT_INITCWND
    initcwnd_client: int = DEFAULT_INITCWND
    initrwnd: int = 0
    congestion_control: str = "cubic"
    mtu: int = 1500
    congestion_control_client: str | None = None
    ecn: bool = False
    fast_open: bool = False
