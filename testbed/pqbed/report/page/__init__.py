"""The one HTML file: template, style and script lie beside this, and everything is put inline."""

from pqbed.report.page.build import build_page

__all__ = ["build_page"]
