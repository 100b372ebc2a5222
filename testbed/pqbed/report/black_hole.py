"""What a path that swallows large packets does to a fetch, in a sentence."""

from pqbed.spec.cell import Cell
from pqbed.spec.link_end_shape import path_mtu_of


def describe_black_hole(cell: Cell) -> str:
    """Return it. Ends that send no full segment are not affected."""
    return (
        f"The path is a black hole for packets above {path_mtu_of(cell.link, 'swallowed')} bytes: the ends send up to "
        f"{cell.tcp.mtu}, and no ICMP message tells them, so a full segment is sent again until the time limit."
    )
