"""The user's browser."""

import webbrowser
from pathlib import Path

from pqbed_cli.render.streams import note


def open_page(page: Path) -> None:
    """Open `page`; without a browser, print its address."""
    address = page.resolve().as_uri()
    if not webbrowser.open(address):
        note(f"no browser was found; open {address}")
