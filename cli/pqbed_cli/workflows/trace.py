"""One fetch traced: request, bed, fetch, pictures, folder."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.address_space import DRAWING_BYTES, require_address_space
from pqbed.agent.fetch_trace import Traced
from pqbed.errors import SpecError
from pqbed.report.run_facts import SWEEP_FILE
from pqbed.report.trace.page import PAGE_NAME, draw_trace
from pqbed.spec.axes import AXES
from pqbed.spec.grid import values_in
from pqbed.spec.profile import stacks_of
from pqbed.spec.run_options import RunOptions
from pqbed.spec.sample_count import MOST_SAMPLES
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_toml import sweep_to_toml
from pqbed.spec.value_parsers import parse_count
from pqbed.trace.summary_json import trace_summary
from pqbed.trace.take_trace import one_cell, take_trace
from pqbed.trace.trace_folder import CLIENT_PCAP_NAME, SERVER_PCAP_NAME, TRACE_NAME, write_trace
from pqbed_cli.options import TraceOptions
from pqbed_cli.workflow_results import TraceResult
from pqbed_cli.workflows.find_run import refuse_unwritable
from pqbed_cli.workflows.open_bed import open_bed
from pqbed_cli.workflows.open_browser import open_page
from pqbed_cli.workflows.sweep_request import read_request

# The sweep to start from if none is named.
PRESET = "trace"


def trace(options: TraceOptions) -> TraceResult:
    """Capture the fetch, write its folder, and open the page if asked to."""
    require_address_space(DRAWING_BYTES)
    base = PRESET if options.spec is None and options.preset is None else options.preset
    request = read_request(replace(options, preset=base))
    sweep = one_cell(request.sweep)
    _refuse_untraceable(sweep)
    repetition = parse_count("repetition", options.repetition, 0, MOST_SAMPLES - 1)
    refuse_unwritable(request.options.out)
    with open_bed(
        request.options.bed, request.options.clock, kernel=request.options.kernel, ca_bundle=options.ca_bundle
    ) as opened:
        artefacts = opened.prepare(stacks_of(sweep.profiles))
        trace, traced = take_trace(opened.bed, sweep, repetition, artefacts)
    run_again = f"pqbed trace --spec {SWEEP_FILE} --repetition {repetition}"
    summary = trace_summary(trace, sys.argv, run_again)
    files = {**_records(sweep, request.options, traced, summary), **draw_trace(trace, run_again)}
    folder = write_trace(Path(request.options.out), sweep.name, files, traced.keys)
    if options.open_page:
        open_page(folder / PAGE_NAME)
    return TraceResult(trace=trace, folder=folder, summary=summary)


def _refuse_untraceable(sweep: Sweep) -> None:
    """Raise SpecError for flows that would be captured as if they were the fetch, and for other packets than TCP's."""
    if "3" in sweep.http:
        raise SpecError("a trace shows segments of TCP, and HTTP/3 has none", "give --http 1.1 or 2")
    if any(sweep.fast_open):
        raise SpecError("a trace cannot show flights that begin in a SYN", "leave out --fast-open")
    if any(values_in(AXES["cross_traffic"], sweep)):
        raise SpecError("a trace shows one connection, and --cross-traffic adds others", "leave out --cross-traffic")


def _records(sweep: Sweep, options: RunOptions, traced: Traced, summary: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files that hold what was seen, except the keys."""
    return {
        CLIENT_PCAP_NAME: traced.client_pcap,
        SERVER_PCAP_NAME: traced.server_pcap,
        TRACE_NAME: (json.dumps(summary, indent=2) + "\n").encode(),
        SWEEP_FILE: sweep_to_toml(sweep, options).encode(),
    }
