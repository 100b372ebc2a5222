"""Figure files: Vega-Lite JSON, SVG and PNG, made without a network."""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from pqbed.atomic_files import translate_os_errors, write_atomic
from pqbed.report.figures.figure_panels import Figure, Panel, VegaSpec
from pqbed.report.theme import MODES, Mode, vega_config

FIGURES_FOLDER = "figures"
PANEL_WIDTH = 400
WIDE_PANEL_WIDTH = 560
FULL_WIDTH = 840
COLUMNS = 2
PNG_SCALE = 2.0
# The Vega-Lite that Altair writes for, as vl-convert names it.
VEGA_LITE = alt.SCHEMA_VERSION.rpartition(".")[0]


def write_figures(folder: Path, figures: Iterable[Figure]) -> list[Path]:
    """Write each figure into `folder`/figures: `<name>.vl.json`, and `.svg` and `.png` light and `-dark`."""
    out = folder / FIGURES_FOLDER
    with translate_os_errors(out):
        out.mkdir(exist_ok=True)
    written: list[Path] = []
    for figure in figures:
        for name, content in figure_files(figure).items():
            write_atomic(out / name, content)
            written.append(out / name)
    return written


def figure_files(figure: Figure) -> Mapping[str, bytes]:
    """Return the files of `figure` by name."""
    files: dict[str, bytes] = {}
    for mode in MODES:
        stem = figure.name if mode == "light" else f"{figure.name}-{mode}"
        spec = whole_spec(figure, mode)
        if mode == "light":
            files[f"{stem}.vl.json"] = (json.dumps(spec, ensure_ascii=False) + "\n").encode()
        svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
        files[f"{stem}.svg"] = svg.encode()
        files[f"{stem}.png"] = vl_convert.svg_to_png(svg, scale=PNG_SCALE)
    return files


def whole_spec(figure: Figure, mode: Mode = "light") -> VegaSpec:
    """Return all panels of `figure` as one self-contained Vega-Lite chart."""
    alone = figure.wide or len(figure.panels) == 1
    width = FULL_WIDTH if figure.wide else WIDE_PANEL_WIDTH if alone else PANEL_WIDTH
    parts = [_part(panel, width) for panel in figure.panels]
    whole: dict[str, Any] = {
        "$schema": f"https://vega.github.io/schema/vega-lite/{alt.SCHEMA_VERSION}.json",
        "description": f"{figure.title}. {figure.summary}",
        "title": {"text": figure.title, "subtitle": figure.summary, "fontSize": 16, "offset": 14},
        "config": vega_config(mode),
        "params": _settings(figure.panels),
        "datasets": {name: rows for part in parts for name, rows in part.pop("datasets", {}).items()},
    }
    subtitle = whole["config"]["title"]["color"]
    whole["config"]["title"]["subtitleColor"] = subtitle
    if len(parts) == 1:
        return whole | {key: value for key, value in parts[0].items() if key not in {"title", "description"}}
    return whole | {
        "concat": parts,
        "columns": 1 if alone else COLUMNS,
        "spacing": 30,
        "resolve": {"legend": {"color": "independent"}},
    }


def _part(panel: Panel, width: int) -> VegaSpec:
    """Return a panel as part of a larger chart: of a fixed width, without the page's parameters and zoom."""
    spec = copy.deepcopy(panel.spec)
    for key in ("$schema", "config", "params", "description"):
        spec.pop(key, None)
    for layer in spec.get("layer", []):
        layer.pop("params", None)
    return {**spec, "title": panel.title, "width": width}


def _settings(panels: Sequence[Panel]) -> list[VegaSpec]:
    """Return the parameters of the page's controls, each once."""
    settings = {item["name"]: item for panel in panels for item in panel.spec.get("params", []) if "select" not in item}
    return list(settings.values())
