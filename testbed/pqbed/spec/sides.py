"""Values that may differ between the two directions, or the two sides."""

from pqbed.spec.link import Loss
from pqbed.spec.parse import format_loss
from pqbed.units import format_rate


def rates(down_bps: int | None, up_bps: int | None) -> str:
    """Word a bandwidth. Up: None is the same, 0 no limit."""
    down = format_rate(down_bps)
    return down if up_bps is None else f"{down} (up {format_rate(up_bps or None)})"


def losses(down: Loss, up: Loss | None) -> str:
    return format_loss(down) if up is None else f"{format_loss(down)} (up {format_loss(up)})"


def sides(server: object, client: object) -> str:
    """Word a setting of both sides; a `client` of None is as the server."""
    return str(server) if client in (None, server) else f"{server} (client {client})"
