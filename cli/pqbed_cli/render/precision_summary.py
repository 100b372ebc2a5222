"""How precise a run has become, and what it spent on that, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from pqbed_cli.render.number_format import NONE

STANDINGS = ("reached", "maximum", "open", "unsupported")


def reached_text(row: Mapping[str, Any]) -> str:
    """Return the half width of a comparison (a row of PRECISION) and where it stands: `±0.42 reached`."""
    width = row["half_width_pct"]
    return f"{NONE if width is None else f'±{width:.2f}'} {row['standing']}"


def precision_lines(rows: Sequence[Mapping[str, Any]], most: int | None) -> list[str]:
    """Return what was reached with how many samples, in one line; none where no precision was asked for."""
    if not rows:
        return []
    by_standing = {name: [row for row in rows if row["standing"] == name] for name in STANDINGS}
    reached, maximum, still_open, unsupported = by_standing.values()
    parts = [f"{len(reached)} of {len(rows)} comparisons reached it{_with(reached)}"]
    if maximum:
        parts.append(f"{len(maximum)} stopped at the maximum of {most} samples per cell")
    if still_open:
        parts.append(f"{len(still_open)} are open")
    if unsupported:
        parts.append(f"{len(unsupported)} have nothing to compare")
    spent = sum(row["fetches"] for row in rows)
    return [f"precision ±{rows[0]['precision_pct']:g} points at p50: {'; '.join(parts)}; {spent} fetches in all"]


def _with(rows: Sequence[Mapping[str, Any]]) -> str:
    counts = sorted(row["samples"] for row in rows)
    if not counts:
        return ""
    few, many = counts[0], counts[-1]
    return f" with {few} samples per cell" if few == many else f" with {few} to {many} samples per cell"
