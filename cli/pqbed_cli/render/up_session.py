"""The bed that is up: its settings, its link, and fetches over it."""

from collections.abc import Callable, Mapping, Sequence

from pqbed.beds.up_session import MeasuredLink, Session
from pqbed.calibrate.deviations import achieved_rate_bps
from pqbed.calibrate.measurement import DirectionMeasurement, LinkMeasurement, SenderMeasurement
from pqbed.net.link_state import EndState, LinkState
from pqbed.spec.axis_words import word_settings
from pqbed.spec.json_codec import to_json
from pqbed.spec.link_end_shape import EndShape
from pqbed.spec.value_parsers import format_loss
from pqbed.units import format_duration, format_rate, format_size
from pqbed_cli.flags import Form
from pqbed_cli.render.number_format import NONE, milliseconds
from pqbed_cli.render.streams import beside, echo, note, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import ArmFetches, SessionStatus


def print_status(status: SessionStatus, form: Form) -> None:
    session = status.session
    if form == "json":
        print_json(None if session is None else {**to_json(session), "gone": status.gone})
    elif session is None:
        beside(form)("no bed is up; `pqbed up` starts one")
    else:
        print_tables([_session_table(session)], form)
    if status.gone:
        note(f"gone: {status.gone}; `pqbed up` starts it again")


def print_up(session: Session, state: LinkState, form: Form) -> None:
    if form == "json":
        print_json({"session": to_json(session), "link": to_json(state)})
        return
    say = beside(form)
    say(f"up: {session.bed} bed, {session.clock} clock, kernel {session.kernel}")
    print_tables([_state_table(state)], form)
    _print_ends(state, say)
    say("next: pqbed link set --rtt 35 --loss 1, or pqbed fetch")


def print_removed(names: Sequence[str], *, json_output: bool) -> None:
    if json_output:
        print_json({"removed": list(names)})
        return
    for name in names:
        echo(f"removed {name}")
    echo("nothing of yours is left" if names else "nothing was up")


def print_owners(owners: Mapping[str, Sequence[str]]) -> None:
    """Print whose the things on the engine are, to stderr: a question about them follows."""
    for owner, names in sorted(owners.items()):
        note(f"{owner or 'without an owner (of an earlier version)'}:")
        for name in names:
            note(f"  {name}")


def print_link(state: LinkState, measured: MeasuredLink | None, form: Form) -> None:
    """Print the link as the kernel has it; if it was measured, that and each deviation too."""
    deviations = [] if measured is None else [deviation.text for deviation in measured.deviations]
    if form == "json":
        more = {} if measured is None else {"measured": to_json(measured.calibration.measured)}
        print_json({**to_json(state), **more, **({"deviations": deviations} if more else {})})
        return
    say = beside(form)
    seen = [] if measured is None else [measured_table(measured.calibration.measured)]
    print_tables([_state_table(state), *seen], form)
    _print_ends(state, say)
    if measured is not None:
        say("")
        for line in deviations:
            say(f"wrong: {line}")
        if not deviations:
            say("as asked, as far as could be measured")


def print_fetches(arms: Sequence[ArmFetches], form: Form) -> None:
    if form == "json":
        print_json([to_json(timings) for arm in arms for timings in arm.timings])
        return
    print_tables([_fetch_table(arm) for arm in arms], form)
    for arm in arms:
        for number, timings in enumerate(arm.timings, 1):
            if timings.detail:
                beside(form)(f"{arm.profile.name}, fetch {number}: {timings.outcome}: {timings.detail}")


def _session_table(session: Session) -> Table:
    rows = (
        ("bed", f"{session.bed}, {session.clock} clock"),
        ("kernel", session.kernel),
        ("profiles", ", ".join(profile.name for profile in session.profiles)),
        *((axis.label, text) for axis, text in word_settings(session.link, session.tcp)),
    )
    return Table(columns=("", ""), rows=rows)


def _state_table(state: LinkState) -> Table:
    """Return both ends of the link, and the stages between them, as the kernel has them."""
    rows = tuple((name, *_end(end.applied)) for name, end in _ends(state).items())
    columns = ("end", "delay", "jitter", "loss", "rate", "limit", "segmentation", "initcwnd", "congestion")
    return Table(columns=columns, rows=rows)


def _print_ends(state: LinkState, say: Callable[[str], None]) -> None:
    for name, end in _ends(state).items():
        say(f"{name}: {end.text}")


def _ends(state: LinkState) -> dict[str, EndState]:
    return {"client": state.client, "server": state.server, **{str(name): end for name, end in state.stages.items()}}


def measured_table(measured: LinkMeasurement) -> Table:
    """Return one row per direction, with the side that sends in it."""
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


def _way(way: DirectionMeasurement) -> tuple[str, ...]:
    rate_bps = achieved_rate_bps(way)
    delays = [milliseconds(way.delays_ns[percent]) if way.delays_ns else NONE for percent in (50, 99)]
    return (
        *delays,
        "no limit" if rate_bps is None else f"{rate_bps / 1e6:.4g} Mbit/s",
        f"{way.lost} of {way.sent}",
        NONE if way.queue_packets is None else f"{way.queue_packets} packets",
        {True: "obeyed", False: "ignored", None: NONE}[way.seed_repeats],
    )


def _sender(sender: SenderMeasurement) -> tuple[str, ...]:
    values = (sender.mtu, sender.flight_frame_bytes, sender.initcwnd, sender.congestion_control or None)
    return tuple(NONE if value is None else str(value) for value in values)


def _fetch_table(arm: ArmFetches) -> Table:
    """Return one row per fetch, times in ms from the first SYN."""
    columns = ("outcome", "connect", "tls", "first byte", "last byte", "bytes", "group", "signature")
    rows = tuple(
        (
            timings.outcome,
            milliseconds(timings.tcp_connect_ns),
            milliseconds(timings.tls_done_ns),
            milliseconds(timings.first_byte_ns),
            milliseconds(timings.last_byte_ns),
            NONE if timings.body_bytes is None else str(timings.body_bytes),
            timings.group or NONE,
            timings.signature or NONE,
        )
        for timings in arm.timings
    )
    title = f"{arm.profile.name}, {format_size(arm.size_bytes)}; times in ms from the first SYN"
    return Table(title=title, columns=columns, rows=rows, numeric=(1, 2, 3, 4, 5), titles="fetches")


def _end(shape: EndShape) -> tuple[str, ...]:
    return (
        format_duration(shape.delay_ns),
        f"{format_duration(shape.jitter_ns)} {shape.distribution}" if shape.jitter_ns else "none",
        format_loss(shape.loss),
        format_rate(shape.rate_bps),
        format_size(shape.queue_bytes) if shape.queue_bytes else f"{shape.limit_packets} packets",
        shape.segmentation,
        str(shape.initcwnd),
        shape.congestion_control,
    )
