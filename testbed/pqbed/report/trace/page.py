"""Trace as one HTML file that opens without a network, and as pictures."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import vl_convert
from markupsafe import Markup

from pqbed.report.figure_files import PNG_SCALE, figure_files
from pqbed.report.figures.figure_panels import Figure
from pqbed.report.page.build_page import POLICY, asset, inline_json, inline_script, template, vega_bundle
from pqbed.report.theme import MODES, PALETTES, vega_config
from pqbed.report.trace.flow import colours_of, draw_flow, inherited_colours
from pqbed.report.trace.narrative import COLUMNS, describe_fetch, describe_trace, list_trace_facts, tabulate_flights
from pqbed.report.trace.time_sequence import draw_time_sequence
from pqbed.tls.served_profile import FIRST_PORT
from pqbed.trace.take_trace import Trace
from pqbed.trace.trace_folder import CLIENT_PCAP_NAME, KEY_LOG_NAME

PAGE_NAME = "trace.html"
FLOW_NAME = "flow"


def draw_trace(trace: Trace, run_again: str) -> dict[str, bytes]:
    """Return the page and the pictures of `trace` by file name."""
    figure = draw_time_sequence(trace)
    files = {name: content for name, content in figure_files(figure).items() if not name.endswith(".json")}
    for mode in MODES:
        stem = FLOW_NAME if mode == "light" else f"{FLOW_NAME}-{mode}"
        svg = draw_flow(trace, colours_of(mode))
        files[f"{stem}.svg"] = svg.encode()
        files[f"{stem}.png"] = vl_convert.svg_to_png(svg, scale=PNG_SCALE)
    files[PAGE_NAME] = build_trace_page(trace, figure, run_again).encode()
    return files


def build_trace_page(trace: Trace, figure: Figure, run_again: str) -> str:
    """Return the page."""
    data = {
        "specs": [
            {**panel.spec, "description": f"{figure.title}: {panel.title}. {figure.summary}"} for panel in figure.panels
        ],
        "configs": {mode: vega_config(mode, background=False) for mode in MODES},
    }
    return template("trace.html.j2").render(
        title=describe_fetch(trace),
        kind="trace",
        policy=POLICY,
        style=Markup(asset("style.css")),  # noqa: S704 - ours
        more_style=Markup(_flow_style()),  # noqa: S704 - ours
        palettes=PALETTES,
        sentences=describe_trace(trace),
        flow=Markup(draw_flow(trace, inherited_colours())),  # noqa: S704 - ours, its texts escaped
        figure=figure,
        columns=COLUMNS,
        rows=tabulate_flights(trace),
        wireshark=shlex.join(wireshark_command()),
        facts=list_trace_facts(trace),
        command=run_again,
        data=inline_json(data),
        vega=inline_script(vega_bundle()),
        script=inline_script(asset("script.js")),
    )


def _flow_style() -> str:
    """Return the colours of the flow in both modes of the page; it prints in the light one."""
    rules = {mode: _variables(colours_of(mode)) for mode in MODES}
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {rules['dark']} }} }}"
    return f":root {{ {rules['light']} }}\n{dark}\n.flow {{ max-width: none; }}"


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--flow-{name}: {value};" for name, value in colours.items())


def wireshark_command(folder: Path = Path()) -> Sequence[str]:
    """Return the command that opens the client's capture in `folder`, decrypted."""
    # Not a port that Wireshark takes for TLS by itself.
    tls, keys = f"tcp.port=={FIRST_PORT},tls", f"tls.keylog_file:{folder / KEY_LOG_NAME}"
    return ("wireshark", "-d", tls, "-o", keys, str(folder / CLIENT_PCAP_NAME))
