"""A trace: its sentences, its flights, and where its files are."""

import shlex

from pqbed.report.trace.narrative import COLUMNS, describe_trace, tabulate_flights
from pqbed.report.trace.page import PAGE_NAME, wireshark_command
from pqbed_cli.flags import Form
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import TraceResult


def print_trace(result: TraceResult, form: Form) -> None:
    if form == "json":
        print_json({"folder": str(result.folder), **result.summary})
        return
    say = beside(form)
    for sentence in describe_trace(result.trace):
        say(sentence)
    print_tables([_flight_table(result)], form)
    say(f"\ntrace: {result.folder}")
    say(f"page: {result.folder / PAGE_NAME}")
    say(f"packets, decrypted: {shlex.join(wireshark_command(result.folder))}")


def _flight_table(result: TraceResult) -> Table:
    return Table(
        title="times in ms from the first SYN",
        columns=tuple(column.lower() for column in COLUMNS),
        rows=tuple(tabulate_flights(result.trace)),
        numeric=tuple(range(2, len(COLUMNS))),
    )
