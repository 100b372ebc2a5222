# ruff: noqa: INP001 (a script, no package)
"""MkDocs hooks: the generated CLI reference, and a check that the site loads nothing from other hosts."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

sys.path.append(str(Path(__file__).parent))  # MkDocs loads a hook as a lone file

from cli_reference import render_reference

_MARK = "<!-- cli-reference -->"
_REMOTE = ("http://", "https://", "//")
# Element -> attributes whose value a browser fetches without being asked.
_FETCHED = {"script": ("src",), "img": ("src", "srcset"), "link": ("href",), "iframe": ("src",), "source": ("src",)}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the CLI reference where a page asks for it."""
    return markdown.replace(_MARK, render_reference()) if _MARK in markdown else markdown


def on_post_build(config: Any, **_: Any) -> None:
    """Fail the build if a page would load anything from another host."""
    folder = Path(config["site_dir"])
    remote = [f"{path.relative_to(folder)}: {url}" for path in folder.rglob("*.html") for url in _remote_urls(path)]
    if remote:
        raise PluginError("the site loads from other hosts: " + "; ".join(remote))


def _remote_urls(path: Path) -> list[str]:
    parser = _FetchedUrls()
    parser.feed(path.read_text(encoding="utf-8"))
    return [url for url in parser.urls if url.startswith(_REMOTE)]


class _FetchedUrls(HTMLParser):
    """Collects the addresses that a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the addresses of one element."""
        self.urls += [value for name, value in attrs if value and name in _FETCHED.get(tag, ())]
