"""Take a trace and write its folder: request, bed, one fetch, pictures."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pqbed.agent.tracing import Traced
from pqbed.report.trace.narrative import COLUMNS, describe_trace, tabulate_flights
from pqbed.report.trace.page import PAGE_NAME, draw_trace, wireshark_command
from pqbed.spec.amount import MOST_SAMPLES
from pqbed.spec.parse import parse_count
from pqbed.spec.profile import stacks_of
from pqbed.spec.sweep import Sweep
from pqbed.spec.text import sweep_to_toml
from pqbed.trace.capture import Trace, one_cell, take_trace
from pqbed.trace.summary_json import trace_summary
from pqbed.trace.write import CLIENT_PCAP_NAME, SERVER_PCAP_NAME, TRACE_NAME, write_trace
from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.render.output import print_json, say
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.request import Request, read_request
from pqbed_cli.runs import refuse_unwritable, show_page
from pqbed_cli.sweeping import SWEEP_FILE
from pqbed_cli.taking import take_bed

PRESET = "trace"
# What the command takes besides a request.
_OWN = ("repetition", "open_page")


def start_trace(typed: Mapping[str, Any]) -> int:
    """Take the trace that was typed, write it, and say where it lies; return the exit code."""
    request = _read(typed)
    sweep = one_cell(request.sweep)
    repetition = parse_count("repetition", typed["repetition"], 0, MOST_SAMPLES - 1)
    refuse_unwritable(request.options.out)
    json_output = typed["json_output"]
    options = request.options
    with take_bed(options.bed, options.clock, json_output=json_output, ca_bundle=typed["ca_bundle"]) as taken:
        artefacts = taken.prepare(stacks_of(sweep.profiles))
        trace, traced = take_trace(taken.bed, sweep, repetition, artefacts)
    again = f"pqbed trace --spec {SWEEP_FILE} --repetition {repetition}"
    told = trace_summary(trace, sys.argv, again)
    files = {**_records(request, sweep, traced, told), **draw_trace(trace, again)}
    path = write_trace(Path(options.out), sweep.name, files, traced.keys)
    if json_output:
        print_json({"folder": str(path), **told})
    else:
        _print(trace, path)
    if typed["open_page"]:
        show_page(path / PAGE_NAME)
    return 0 if trace.timings.outcome == "ok" else SOME_FAILED


def _read(typed: Mapping[str, Any]) -> Request:
    """Read the request; where no sweep is named to start from, the preset of the same name is."""
    asked = {name: value for name, value in typed.items() if name not in _OWN}
    if asked["spec"] is None and asked["preset"] is None:
        asked["preset"] = PRESET
    return read_request(asked)


def _records(request: Request, sweep: Sweep, traced: Traced, told: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files that hold what was seen, but for the keys."""
    return {
        CLIENT_PCAP_NAME: traced.client_pcap,
        SERVER_PCAP_NAME: traced.server_pcap,
        TRACE_NAME: (json.dumps(told, indent=2) + "\n").encode(),
        SWEEP_FILE: sweep_to_toml(sweep, request.options).encode(),
    }


def _print(trace: Trace, path: Path) -> None:
    rows = tuple(tabulate_flights(trace))
    numeric = tuple(range(2, len(COLUMNS)))
    for sentence in describe_trace(trace):
        say(sentence)
    columns = tuple(column.lower() for column in COLUMNS)
    print_tables([Table(title="times in ms from the first SYN", columns=columns, rows=rows, numeric=numeric)])
    say(f"\ntrace: {path}")
    say(f"page: {path / PAGE_NAME}")
    say(f"packets, decrypted: {shlex.join(wireshark_command(path))}")
