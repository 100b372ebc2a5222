"""TCP settings of the two ends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """`initcwnd_*` in segments (RFC 6928: 10; the published study: 20). `initrwnd` 0: the kernel's.

    `congestion_control_client` None: the server's, which is `congestion_control`.
    """

    initcwnd_server: int = 20
    initcwnd_client: int = 20
    initrwnd: int = 0
    congestion_control: str = "cubic"
    mtu: int = 1500
    congestion_control_client: str | None = None
