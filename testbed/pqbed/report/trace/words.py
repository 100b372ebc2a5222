"""A trace in words and rows."""

from pqbed.spec.axes import describe_link
from pqbed.trace.flights import Flight
from pqbed.trace.taken import Trace
from pqbed.trace.told import count_segments
from pqbed.units import format_size

COLUMNS = (
    "Flight",
    "From",
    "Bytes",
    "Segments",
    "Sent again",
    "Lost",
    "On the wire",
    "First sent",
    "Last sent",
    "First came",
    "All came",
)


def tell_sentences(trace: Trace) -> list[str]:
    """Return what the fetch took, how it came to that, and what went wrong."""
    timings = trace.timings
    what = f"{tell_fetch(trace)} over {tell_link(trace)}"
    if timings.outcome == "ok" and timings.last_byte_ns is not None:
        sentences = [f"Fetching {what} took {_ms(timings.last_byte_ns)} ms."]
    else:
        sentences = [f"Fetching {what} failed: {timings.outcome}: {timings.detail}."]
    steps = (
        ("TCP connected", timings.tcp_connect_ns),
        ("TLS done", timings.tls_done_ns),
        ("first byte of the response", timings.first_byte_ns),
    )
    reached = [f"{name} after {_ms(time_ns)} ms" for name, time_ns in steps if time_ns is not None]
    if reached:
        sentences.append(f"{'; '.join(reached)[:1].upper()}{'; '.join(reached)[1:]}.")
    up, down = (count_segments(trace.segments, up=up) for up in (True, False))
    lost, again = up["lost"] + down["lost"], up["repeated"] + down["repeated"]
    sentences.append(
        f"The client sent {up['segments']:,} segments and the server {down['segments']:,}; "
        + (f"{lost:,} were lost, {again:,} sent again" if lost or again else "none was lost or sent again")
        + _waited(trace)
    )
    return sentences


def tell_fetch(trace: Trace) -> str:
    """Name what was fetched, and how: `200KiB with pq`."""
    return f"{format_size(trace.cell.workload.size_bytes)} with {trace.cell.profile.name}"


def tell_link(trace: Trace) -> str:
    """Word the link and TCP."""
    return describe_link(trace.cell.link, trace.cell.tcp)


def tabulate_flights(trace: Trace) -> list[tuple[str, ...]]:
    """Return a row of text a flight."""
    return [_row(flight) for flight in trace.flights]


def tell_facts(trace: Trace) -> list[tuple[str, str]]:
    """Return what it was traced on, as name and value."""
    return [
        ("Bed", f"{trace.bed}, {trace.clock} clock"),
        ("Kernel", trace.facts.kernel),
        *((f"Version of {name}", version) for name, version in sorted(trace.facts.versions.items())),
        *((f"Artefact {name}", identity) for name, identity in sorted(trace.artefacts.items())),
        ("Link", tell_link(trace)),
        ("Cell", trace.fetch.cell_id),
        ("Repetition", str(trace.fetch.repetition)),
    ]


def _row(flight: Flight) -> tuple[str, ...]:
    counts = (flight.payload_bytes, flight.segments, flight.repeated, flight.lost, flight.wire_bytes)
    times = (flight.first_sent_ns, flight.last_sent_ns, flight.first_received_ns, flight.received_ns)
    return (
        flight.name,
        "client" if flight.up else "server",
        *(f"{count:,}" for count in counts),
        *("never" if time_ns is None else f"{time_ns / 1e6:,.3f}" for time_ns in times),
    )


def _waited(trace: Trace) -> str:
    if not trace.waits:
        return "."
    count, total_ns = len(trace.waits), sum(wait.length_ns for wait in trace.waits)
    return f"; {count} time{'s' if count > 1 else ''} a timer ended a wait, {_ms(total_ns)} ms in all."


def _ms(time_ns: int) -> str:
    return f"{time_ns / 1e6:,.1f}"
