"""What `up`, `status`, `link` and `fetch` print."""

from collections.abc import Sequence

from pqbed.beds.session import MeasuredLink, Session
from pqbed.calibrate.judge import achieved_rate_bps
from pqbed.calibrate.measured import Direction, Measured, Sender
from pqbed.net.shape import EndShape
from pqbed.net.state import LinkState
from pqbed.spec.axes import word_settings
from pqbed.spec.codec import to_json
from pqbed.spec.parse import format_loss
from pqbed.spec.profile import Profile
from pqbed.spec.sample import Timings
from pqbed.units import format_duration, format_rate, format_size
from pqbed_cli.render.numbers import NONE, milliseconds
from pqbed_cli.render.output import print_json, say
from pqbed_cli.render.table import Table, print_tables


def print_session(session: Session) -> None:
    """Print the settings that are kept for the bed that is up."""
    rows = (
        ("bed", f"{session.bed}, {session.clock} clock"),
        ("kernel", session.kernel),
        ("profiles", ", ".join(profile.name for profile in session.profiles)),
        *((axis.label, text) for axis, text in word_settings(session.link, session.tcp)),
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


def show_measured(state: LinkState, found: MeasuredLink, *, json_output: bool) -> None:
    """Print what was asked and what was achieved, and each thing that is wrong."""
    lines = [deviation.text for deviation in found.deviations]
    if json_output:
        print_json({**to_json(state), "measured": to_json(found.calibration.measured), "deviations": lines})
        return
    print_state(state)
    say("")
    print_tables([measured_table(found.calibration.measured)])
    for line in lines:
        say(f"wrong: {line}")
    if not lines:
        say("as asked, as far as could be measured")


def measured_table(measured: Measured) -> Table:
    """Return one row a direction, with the side that sends in it."""
    ways = (("up", measured.up, measured.client), ("down", measured.down, measured.server))
    rows = tuple((name, *_way(way), *_sender(sender)) for name, way, sender in ways)
    p50, p99 = (milliseconds(rtt_ns) for rtt_ns in (measured.rtt_p50_ns, measured.rtt_p99_ns))
    columns = (
        "direction",
        "delay p50",
        "p99",
        "rate",
        "lost",
        "queue",
        "seed",
        "mtu",
        "frames",
        "initcwnd",
        "congestion",
    )
    return Table(title=f"measured; rtt of small datagrams: p50 {p50} ms, p99 {p99} ms", columns=columns, rows=rows)


def _way(way: Direction) -> tuple[str, ...]:
    rate_bps = achieved_rate_bps(way)
    delays = [milliseconds(way.delays_ns[percent]) if way.delays_ns else NONE for percent in (50, 99)]
    return (
        *delays,
        "no limit" if rate_bps is None else f"{rate_bps / 1e6:.4g} Mbit/s",
        f"{way.lost} of {way.sent}",
        NONE if way.queue_packets is None else f"{way.queue_packets} packets",
        {True: "obeyed", False: "ignored", None: NONE}[way.seed_repeats],
    )


def _sender(sender: Sender) -> tuple[str, ...]:
    values = (sender.mtu, sender.flight_frame_bytes, sender.initcwnd, sender.congestion_control or None)
    return tuple(NONE if value is None else str(value) for value in values)


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
