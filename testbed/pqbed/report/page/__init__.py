"""The report as one HTML file: template, style and script of this folder, all inline."""

from pqbed.report.page.build_page import build_page

__all__ = ["build_page"]
