"""netem settings in the format of `tc qdisc show`, with all digits. Never parsed back."""

from pqbed.net.managed_queue import ManagedQueue
from pqbed.net.netem import GilbertElliottOdds, Netem, ppm
from pqbed.net.root_qdisc import RootQdisc


def qdisc_text(root: RootQdisc) -> str:
    """Return one line on a root qdisc."""
    name = f"{root.handle >> 16:x}:" if root.handle else "0:"
    if root.netem is None:
        return f"qdisc {root.kind} {name} root"
    return f"qdisc netem {name} root {netem_text(root.netem)}"


def queue_text(queue: ManagedQueue) -> str:
    """Return one line on a bottleneck without netem."""
    rate = f"rate {_rate(8 * queue.rate_bytes)}"
    match queue.discipline:
        case "cake":
            return f"qdisc cake root {rate} memlimit {queue.queue_bytes}b"
        case "fifo":
            return f"qdisc tbf root {rate} limit {queue.queue_bytes}b"
        case _:
            return f"qdisc tbf root {rate}, {queue.discipline} limit {queue.limit_packets}p ecn"


def netem_text(netem: Netem) -> str:
    parts = [f"limit {netem.limit_packets}"]
    if netem.delay_ns or netem.jitter_ns:
        parts.append(f"delay {_time(netem.delay_ns)}")
    if netem.jitter_ns:
        parts.append(f"{_time(netem.jitter_ns)} distribution {netem.distribution}")
    if netem.burst_loss is not None:
        parts.append(_burst_loss(netem.burst_loss))
    elif netem.loss:
        parts.append(f"loss {_percent(netem.loss)}")
    shares = {"reorder": netem.reorder, "duplicate": netem.duplicate, "corrupt": netem.corrupt}
    parts.extend(f"{name} {_percent(share)}" for name, share in shares.items() if share)
    if netem.rate_bytes:
        parts.append(f"rate {_rate(8 * netem.rate_bytes)}")
    if netem.seed is not None:
        parts.append(f"seed {netem.seed}")
    return " ".join([*parts, *netem.rest])


def _burst_loss(burst: GilbertElliottOdds) -> str:
    lose_in_bad = 0xFFFF_FFFF - burst.keep_in_bad
    return (
        f"loss gemodel p {_percent(burst.enter_bad)} r {_percent(burst.leave_bad)} "
        f"1-h {_percent(lose_in_bad)} 1-k {_percent(burst.lose_in_good)}"
    )


def _percent(of_u32: int) -> str:
    return f"{_decimal(ppm(of_u32), 4)}%"


def _time(nanoseconds: int) -> str:
    for unit, digits in (("s", 9), ("ms", 6), ("us", 3)):
        if nanoseconds >= 10**digits:
            return _decimal(nanoseconds, digits) + unit
    return f"{nanoseconds}ns"


def _rate(bits: int) -> str:
    for unit, digits in (("Gbit", 9), ("Mbit", 6), ("Kbit", 3)):
        if bits >= 10**digits:
            return _decimal(bits, digits) + unit
    return f"{bits}bit"


def _decimal(value: int, digits: int) -> str:
    """Return value / 10^digits exactly."""
    whole, part = divmod(value, 10**digits)
    fraction = f"{part:0{digits}d}".rstrip("0")
    return f"{whole}.{fraction}" if fraction else str(whole)
