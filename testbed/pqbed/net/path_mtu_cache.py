"""What a namespace has learned of path MTUs from ICMP messages: forgotten after each fetch.

The kernel keeps it with the next hop of a route for ten minutes (net/ipv4/route.c, update_or_create_fnhe).
"""

from pathlib import Path

from pqbed.errors import HostError
from pqbed.net.run_in_namespace import run_in

_FLUSH = Path("/proc/sys/net/ipv4/route/flush")


def forget_path_mtus(netns: str | None) -> None:
    """Forget it in the namespace at path `netns` (None: the present one). Raises HostError in a container."""
    try:
        run_in(netns, lambda: _FLUSH.write_text("1"))
    except OSError as error:
        raise HostError(
            f"what was learned of the path MTU cannot be forgotten between fetches: {error.strerror}",
            hint="containers have /proc/sys read-only: use the uml or the netns bed for a path MTU that is told",
        ) from None
