"""What `up`, `status`, `link` and `fetch` print."""

from collections.abc import Sequence

from pqbed.beds.session import Session
from pqbed.net.shape import EndShape
from pqbed.net.state import LinkState
from pqbed.spec.link import Link
from pqbed.spec.parse import format_loss
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.spec.sides import losses, rates, sides
from pqbed.units import format_duration, format_rate, format_size
from pqbed_cli.render.numbers import milliseconds
from pqbed_cli.render.output import say
from pqbed_cli.render.table import Table, print_tables


def print_session(session: Session) -> None:
    """Print the settings that are kept for the bed that is up."""
    link, tcp = session.link, session.tcp
    rows = (
        ("bed", f"{session.bed}, {session.clock} clock"),
        ("kernel", session.kernel),
        ("profiles", ", ".join(profile.name for profile in session.profiles)),
        ("rtt", format_duration(link.rtt_ns)),
        ("bandwidth", rates(link.bandwidth_bps, link.bandwidth_up_bps)),
        ("loss", losses(link.loss, link.loss_up)),
        ("jitter", f"{format_duration(link.jitter_ns)} {link.distribution}"),
        ("queue", _queue_text(link)),
        ("segmentation", link.segmentation),
        ("layout", link.layout),
        ("initcwnd", f"{sides(tcp.initcwnd_server, tcp.initcwnd_client)} segments"),
        ("congestion", sides(tcp.congestion_control, tcp.congestion_control_client)),
    )
    print_tables([Table(columns=("", ""), rows=rows)])


def print_state(state: LinkState) -> None:
    """Print both ends of the link, and the stages between them, as the kernel has them."""
    ends = (("client", state.client), ("server", state.server), *state.stages.items())
    rows = tuple((name, *_end(end.applied)) for name, end in ends)
    columns = ("end", "delay", "jitter", "loss", "rate", "limit", "segmentation", "initcwnd", "congestion")
    print_tables([Table(columns=columns, rows=rows)])
    for name, end in ends:
        say(f"{name}: {end.text}")


def print_fetches(profile: Profile, size_bytes: int, fetched: Sequence[Timings]) -> None:
    """Print one row a fetch, times in ms from the first SYN."""
    columns = ("outcome", "connect", "tls", "first byte", "last byte", "bytes", "group", "signature")
    rows = tuple(
        (
            timings.outcome,
            milliseconds(timings.tcp_connect_ns),
            milliseconds(timings.tls_done_ns),
            milliseconds(timings.first_byte_ns),
            milliseconds(timings.last_byte_ns),
            "-" if timings.body_bytes is None else str(timings.body_bytes),
            timings.group or "-",
            timings.signature or "-",
        )
        for timings in fetched
    )
    title = f"{profile.name}, {format_size(size_bytes)}; times in ms from the first SYN"
    print_tables([Table(title=title, columns=columns, rows=rows, numeric=(1, 2, 3, 4, 5))])
    for number, timings in enumerate(fetched, 1):
        if timings.detail:
            say(f"fetch {number}: {timings.outcome}: {timings.detail}")


def _queue_text(link: Link) -> str:
    if link.limit_packets is not None:
        return f"netem's limit of {link.limit_packets} packets"
    return f"{link.queue_packets} packets"


def _end(shape: EndShape) -> tuple[str, ...]:
    return (
        format_duration(shape.delay_ns),
        f"{format_duration(shape.jitter_ns)} {shape.distribution}" if shape.jitter_ns else "none",
        format_loss(shape.loss),
        format_rate(shape.rate_bps),
        f"{shape.limit_packets} packets",
        shape.segmentation,
        str(shape.initcwnd),
        shape.congestion_control,
    )
