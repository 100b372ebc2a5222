"""Remedies of a run as a table per link, each with the sentence that an operator would act on, and as JSON."""

from collections.abc import Mapping
from typing import Any

from pqbed.spec.json_codec import to_json
from pqbed.stats.rank_remedies import Ranked, RankedLink
from pqbed_cli.flags import Form
from pqbed_cli.render.number_format import NONE, NS_PER_MS, milliseconds
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import RankedRemedies

COLUMNS = ("remedy", "how", "flight", "p50", "p90", "saved", "in RTTs", "CPU", "needs")
NUMERIC = (2, 3, 4, 5, 6, 7)
# ms of both sides, by profile and kind of connection.
Cpu = Mapping[tuple[str, str], int]
BY_SIZE = "by size"
# Below this share of the TTLB a remedy saves nothing worth a word.
LEAST_SHARE = 0.01


def print_remedies(ranked: RankedRemedies, form: Form) -> None:
    if form == "json":
        print_json({"run": str(ranked.path), "links": [_to_program(link) for link in ranked.links]})
        return
    say = beside(form)
    cpu = {(one.profile, one.connection): one.client_ns + one.server_ns for one in ranked.manifest.handshake_cpu}
    print_tables([_table(link, cpu) for link in ranked.links], form)
    say("")
    for link in ranked.links:
        say(advise(link))
    say("")
    say("TTLB in ms; flight: bytes of the server's first; CPU: ms of both sides' public-key operations")
    say(f"{BY_SIZE}: padded to as many bytes as the remedy sends; its CPU is not that of the remedy")


def advise(link: RankedLink) -> str:
    """Return which remedy saves most on a link, and which save nothing."""
    whole = link.helped["p50_ns"]
    where = link.title
    if whole is None or not link.remedies:
        return f"{where}: nothing to compare"
    saving = [one for one in link.remedies if (one.saved_ns or 0) >= LEAST_SHARE * whole]
    idle = [one.remedy.title for one in link.remedies if abs(one.saved_ns or 0) < LEAST_SHARE * whole]
    if not saving:
        return f"{where}: no remedy saves as much as {LEAST_SHARE:.0%} of {milliseconds(whole)} ms"
    best = saving[0]
    rtts = (best.saved_ns or 0) / link.helped["rtt_ns"] if link.helped["rtt_ns"] else 0
    text = f"{where}: {best.remedy.title} saves {milliseconds(best.saved_ns)} ms of {milliseconds(whole)}"
    text += f", {rtts:.1f} round trips"
    return text + (f"; no more than {LEAST_SHARE:.0%}: {', '.join(idle)}" if idle else "")


def _table(link: RankedLink, cpu: Cpu) -> Table:
    helped = link.helped
    first = (
        *(f"profile {helped['profile']}", "", _bytes(helped["server_flight_bytes"])),
        *(milliseconds(helped["p50_ns"]), milliseconds(helped["p90_ns"]), NONE, NONE),
        *(_cpu(cpu.get((helped["profile"], "full"))), NONE),
    )
    rows = (first, *(_row(one, link, cpu) for one in link.remedies))
    return Table(title=link.title, columns=COLUMNS, rows=rows, numeric=NUMERIC, titles="link")


def _row(one: Ranked, link: RankedLink, cpu: Cpu) -> tuple[str, ...]:
    rtt_ns = link.helped["rtt_ns"]
    rtts = NONE if one.saved_ns is None or not rtt_ns else f"{round(one.saved_ns / rtt_ns, 2) + 0.0:.2f}"
    known = None if one.remedy.by_size else cpu.get((one.profile, one.connection))
    return (
        *(one.remedy.title, BY_SIZE if one.remedy.by_size else ""),
        _bytes(one.flight_bytes),
        *(milliseconds(one.p50_ns), milliseconds(one.p90_ns), _saved(one.saved_ns), rtts),
        *(_cpu(known), one.remedy.needs),
    )


def _bytes(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def _saved(value_ns: float | None) -> str:
    return NONE if value_ns is None else f"{round(value_ns / NS_PER_MS, 1) + 0.0:.1f}"


def _cpu(value_ns: int | None) -> str:
    return NONE if value_ns is None else f"{value_ns / NS_PER_MS:.2f}"


def _to_program(link: RankedLink) -> dict[str, Any]:
    helped = {name: link.helped[name] for name in ("cell_id", "link_name", "size_bytes", "profile", "p50_ns", "p90_ns")}
    return {"helped": helped, "advice": advise(link), "remedies": to_json(link.remedies)}
