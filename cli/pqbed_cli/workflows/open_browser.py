"""The user's browser."""

import webbrowser
from pathlib import Path

from pqbed_cli.render.streams import note


def open_page(page: Path) -> None:
    """Open `page`; without a browser, print its address."""
    open_address(page.resolve().as_uri())


def open_address(address: str) -> None:
    """Open `address`; without a browser, print it."""
    if not webbrowser.open(address):
        note(f"no browser was found; open {address}")
