"""Templates, style and script of the pages, beside those of the report."""

from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from pqbed.report.page.build_page import asset as report_asset
from pqbed.report.theme import PALETTES

# The browser loads and sends nothing but from and to this server.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)


def asset(name: str) -> str:
    """Return the text of a file of this folder."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def render(name: str, /, **values: Any) -> str:
    """Return a page; every value in it is escaped."""
    common = {"policy": POLICY, "palettes": PALETTES, "style": _style(), "kind": "pages"}
    return _environment().get_template(name).render(**{**common, **values})


def _style() -> Markup:
    return Markup(report_asset("style.css") + asset("serve.css"))  # noqa: S704 (ours)


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_find), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


def _find(name: str) -> str | None:
    for read in (asset, report_asset):
        try:
            return read(name)
        except FileNotFoundError:
            continue
    return None
