"""Report page: everything of a run in one HTML file that opens without a network."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
import polars as pl
import vl_convert
from markupsafe import Markup

from pqbed.report.figure_files import VEGA_LITE
from pqbed.report.figures.figure_panels import Figure
from pqbed.report.methods import bibtex, describe_methods
from pqbed.report.mixture_rows import tabulate_mixtures
from pqbed.report.narrative import describe_below_floor, list_caveats, tabulate_failures
from pqbed.report.page.cells_table import CellsTable, tabulate_cells
from pqbed.report.precision_rows import precision_rows
from pqbed.report.report_content import ReportContent
from pqbed.report.run_facts import command_again, list_facts, read_sweep
from pqbed.report.theme import MODES, PALETTES, vega_config
from pqbed.spec.metric import TTLB

# The browser refuses to load anything, whatever the page contains.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
# Figures that a report may open with, by how their names begin.
REMEDIES, OPENING = "remedies", ("slide", "increase-")
_EMBED = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """What a server puts around a page: its own policy, the addresses of the scripts, a head and a style of its own."""

    policy: str
    scripts: tuple[str, ...]
    head: Markup
    style: str


def build_page(content: ReportContent, frame: PageFrame | None = None) -> str:
    """Return the page: one file that needs no other, or within the `frame` of a server."""
    data, manifest, verdicts, figures = content.data, content.manifest, content.verdicts, content.figures
    slide, helping = _opening(content)
    items = {item["figure"].name: item for item in numbered(figures)}
    below = [item for name, item in items.items() if name not in (slide, helping)]
    return template("page.html.j2").render(
        title=content.title,
        policy=frame.policy if frame else POLICY,
        frame=frame,
        style=Markup(asset("style.css")),  # noqa: S704 - ours
        more_style=Markup(frame.style if frame else ""),  # noqa: S704 - ours
        palettes=PALETTES,
        answer=content.answer,
        below_floor=describe_below_floor(data) if data else [],
        verdicts=verdicts,
        verdict_parts=any(verdict.network or verdict.cpu for verdict in verdicts),
        reasons=list(dict.fromkeys(verdict.why for verdict in verdicts if verdict.why)),
        quantity=data.metric.title if data else "",
        models=data is not None and data.metric is TTLB,
        percentiles=data.names if data else [],
        sizes=data.sizes if data and _choose_size(figures) else [],
        figures=below,
        slide=items.get(slide),
        helping=items.get(helping),
        methods=describe_methods(manifest, data) if data else "",
        bibtex=bibtex(manifest),
        cells=tabulate_cells(data) if data else CellsTable(columns=(), groups=(), rows=(), left_out=0),
        mixtures=tabulate_mixtures(content.mixed, data.axes, data.metric) if data else [],
        precision=precision_rows(content.precision, data) if data else [],
        precision_pct=_precision_pct(content.precision),
        failures=tabulate_failures(data) if data else [],
        caveats=[*content.caveats, *(list_caveats(data, manifest) if data else [])],
        facts=list_facts(manifest, data),
        command=command_again(content.folder, manifest),
        sweep=read_sweep(content.folder),
        data=inline_json(page_data(figures)),
        vega=inline_script(vega_bundle()),
        script=inline_script(page_script()),
    )


def _opening(content: ReportContent) -> tuple[str, str]:
    """Return the names of the figures that the page opens with: the one for a slide, and what would help.

    A page of a study opens with its verdicts.
    """
    names = [figure.name for figure in content.figures]
    helping = next((name for name in names if name == REMEDIES), "")
    slide = next((name for name in names if name != REMEDIES), "")
    return ("", "") if content.verdicts else (slide if slide.startswith(OPENING) else "", helping)


def page_script() -> str:
    """Return what a page runs: its charts, and its table."""
    return asset("script.js") + asset("table.js")


def page_data(figures: Sequence[Figure]) -> Mapping[str, Any]:
    """Return what the script of a page draws: the specs of all panels, and the config of each mode."""
    return {
        "specs": [
            {**panel.spec, "description": f"{figure.title}: {panel.title}. {figure.summary}"}
            for figure in figures
            for panel in figure.panels
        ],
        "configs": {mode: vega_config(mode, background=False) for mode in MODES},
        "saved": vega_config("light"),
    }


def _precision_pct(precision: pl.DataFrame) -> float:
    return 0.0 if precision.is_empty() else float(precision["precision_pct"][0])


def _choose_size(figures: Sequence[Figure]) -> bool:
    """Return whether a figure shows one size at a time."""
    names = [item["name"] for figure in figures for panel in figure.panels for item in panel.spec.get("params", [])]
    return "size" in names


def numbered(figures: Sequence[Figure]) -> list[Mapping[str, Any]]:
    """Return the figures with the indices of their panels among all specs."""
    numbered_figures: list[Mapping[str, Any]] = []
    place = 0
    for figure in figures:
        panels = [{"title": panel.title, "place": place + number} for number, panel in enumerate(figure.panels)]
        place += len(panels)
        numbered_figures.append({"figure": figure, "panels": panels})
    return numbered_figures


def template(name: str) -> jinja2.Template:
    """Return one of the templates of this folder."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name)


def asset(name: str) -> str:
    """Return the text of a file of this folder."""
    return resources.files(__package__ or __name__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def vega_bundle() -> str:
    """Return Vega, Vega-Lite and their embedding as one script, from inside vl-convert."""
    return str(vl_convert.javascript_bundle(_EMBED, vl_version=VEGA_LITE))


def inline_json(value: object) -> Markup:
    """Return `value` as JSON that no string in it can end: `<` is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped here


def inline_script(code: str) -> Markup:
    """Return `code` so that no string in it can end the script."""
    return Markup(code.replace("</script", "<\\/script"))  # noqa: S704 - ours, and what vl-convert ships
