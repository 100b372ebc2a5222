"""Common style of all figures, light and dark. Figures name roles; this maps the roles to colours.

Series colours are told apart with any of the common colour blindnesses, keep a contrast of 3 to 1 against their
background (WCAG 2.2, 1.4.11), and come with a shape of their own.
"""

from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["light", "dark"]
MODES: tuple[Mode, ...] = ("light", "dark")

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
MOST_SERIES = len(SHAPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours by role. `diverging` runs from faster over equal to slower."""

    page: str
    ink: str
    quiet: str
    rule: str
    series: tuple[str, ...]
    phases: tuple[str, ...]
    diverging: tuple[str, ...]
    on_strong: str
    on_weak: str


PALETTES: dict[Mode, Palette] = {
    "light": Palette(
        page="#ffffff",
        ink="#1c2330",
        quiet="#566072",
        rule="#dfe3ea",
        series=("#0067a8", "#c74a00", "#00795a", "#a2478a", "#856000", "#5b5bd6", "#1c2330", "#b3261e"),
        phases=("#88919f", "#c74a00", "#5aa9d6", "#0067a8"),
        diverging=("#1f5fa8", "#8fb8de", "#f3f4f6", "#f2b37c", "#b34700"),
        on_strong="#ffffff",
        on_weak="#1c2330",
    ),
    "dark": Palette(
        page="#12151a",
        ink="#e8ebf0",
        quiet="#a7b0be",
        rule="#2c333d",
        series=("#5db4f0", "#ff9350", "#3ecf9f", "#e193c9", "#e6c24a", "#a7a5ff", "#e8ebf0", "#ff8078"),
        phases=("#7d8796", "#ff9350", "#a9d6f5", "#5db4f0"),
        diverging=("#7cc0f5", "#3d6a90", "#232931", "#8f5a2e", "#ffa05c"),
        on_strong="#12151a",
        on_weak="#e8ebf0",
    ),
}


def vega_config(mode: Mode, *, background: bool = True) -> dict[str, Any]:
    """Return the Vega-Lite config. Without `background` it is transparent."""
    colours = PALETTES[mode]
    text = {"labelColor": colours.quiet, "titleColor": colours.ink, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": colours.page if background else "transparent",
        "font": FONT,
        "padding": 8 if background else {"left": 2, "right": 14, "top": 4, "bottom": 2},
        "view": {"stroke": None},
        "title": {"color": colours.ink, "fontSize": 13, "fontWeight": 600, "anchor": "start", "offset": 8},
        "axis": {
            **text,
            "titleFontWeight": 500,
            "titlePadding": 8,
            "domainColor": colours.quiet,
            "tickColor": colours.quiet,
            "gridColor": colours.rule,
            "labelLimit": 170,
        },
        "legend": {
            **text,
            "titleFontWeight": 500,
            "orient": "bottom",
            "direction": "horizontal",
            "labelLimit": 240,
            "symbolSize": 70,
            "symbolStrokeWidth": 2,
            "columnPadding": 14,
            "offset": 6,
        },
        "range": {
            "category": list(colours.series),
            "ordinal": list(colours.phases),
            "diverging": list(colours.diverging),
        },
        "line": {"strokeWidth": 2},
        "point": {"size": 55, "filled": True},
        "rule": {"color": colours.quiet},
        "text": {"color": colours.ink, "fontSize": 12},
        "style": {
            "band": {"fillOpacity": 0.16, "strokeOpacity": 0},
            "noise": {
                "color": colours.quiet,
                "fill": colours.quiet,
                "fillOpacity": 0.18,
                "stroke": colours.quiet,
                "strokeWidth": 1,
                "strokeDash": [1, 2],
            },
            "zero": {"color": colours.quiet, "strokeDash": [3, 3]},
            "published": {"color": colours.ink, "filled": False, "strokeWidth": 1.5, "size": 90, "shape": "diamond"},
            "expected": {"color": colours.ink},
            "on-strong": {"color": colours.on_strong, "fill": colours.on_strong},
            "on-weak": {"color": colours.on_weak, "fill": colours.on_weak},
        },
    }
