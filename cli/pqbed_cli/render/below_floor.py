"""Errors about samples that are faster than physics allows."""

from collections.abc import Sequence

from pqbed.stats.below_floor import BELOW_HINT, Below

MOST_LINES = 20


def floor_lines(below: Sequence[Below]) -> list[str]:
    """Return one line per cell with such samples, and a hint; nothing if there are none."""
    lines = [f"error: {cell.sentence()}" for cell in below[:MOST_LINES]]
    if len(below) > MOST_LINES:
        lines.append(f"error: and {len(below) - MOST_LINES} more cells below their floors")
    return [*lines, f"  hint: {BELOW_HINT}"] if lines else []
