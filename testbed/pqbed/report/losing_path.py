"""What a path that loses large packets, or parts of a ClientHello, does to a fetch, in a sentence."""

from pqbed.spec.cell import Cell
from pqbed.spec.link_sides import path_mtu_of


def describe_black_hole(cell: Cell) -> str:
    """Return it. Ends that send no full segment are not affected."""
    return (
        f"The path is a black hole for packets above {path_mtu_of(cell.link, 'swallowed')} bytes: the ends send up to "
        f"{cell.tcp.mtu}, and no ICMP message tells them, so a full segment is sent again until the time limit."
    )


def describe_middlebox(cell: Cell) -> str:
    """Return what the middlebox of the link does to a fetch; empty without one."""
    box = cell.link.middlebox
    if box is None:
        return ""
    if box.drops == "hello-tail":
        lost = f"what follows the first segment of a ClientHello: one that does not fit into {cell.tcp.mtu} bytes"
    else:
        lost = f"ClientHellos with a TLS record above {box.size_bytes} bytes: one that is larger"
    return f"A middlebox loses {lost} is sent again until the time limit."
