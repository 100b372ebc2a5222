"""A trace: its sentences, its flights, and where its files are."""

import shlex

from pqbed.report.trace.narrative import COLUMNS, describe_trace, tabulate_flights
from pqbed.report.trace.page import PAGE_NAME, wireshark_command
from pqbed_cli.render.streams import echo, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import TraceResult


def print_trace(result: TraceResult, *, json_output: bool) -> None:
    if json_output:
        print_json({"folder": str(result.folder), **result.summary})
        return
    for sentence in describe_trace(result.trace):
        echo(sentence)
    print_tables([_flight_table(result)])
    echo(f"\ntrace: {result.folder}")
    echo(f"page: {result.folder / PAGE_NAME}")
    echo(f"packets, decrypted: {shlex.join(wireshark_command(result.folder))}")


def _flight_table(result: TraceResult) -> Table:
    return Table(
        title="times in ms from the first SYN",
        columns=tuple(column.lower() for column in COLUMNS),
        rows=tuple(tabulate_flights(result.trace)),
        numeric=tuple(range(2, len(COLUMNS))),
    )
