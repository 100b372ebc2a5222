"""A table of text: aligned columns where plain, a rich table on a terminal."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqbed_cli.render.streams import echo

if TYPE_CHECKING:
    from rich.table import Table as RichTable

GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells are text already. `numeric`: the indices of the columns that are set to the right."""

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


def print_tables(tables: Sequence[Table]) -> None:
    """Print tables one below the other, as the output allows."""
    if sys.stdout.isatty():
        _print_rich(tables)
    else:
        echo("\n\n".join(plain_table(table) for table in tables))


def widest(tables: Sequence[Table]) -> int:
    """Return the length of the longest line of all `tables`."""
    return max((len(line) for table in tables for line in plain_table(table).splitlines()), default=0)


def plain_table(table: Table) -> str:
    """Return `table` as lines of aligned text without any escape code."""
    grid = [table.columns, *table.rows] if any(table.columns) else [*table.rows]
    widths = [max(len(row[index]) for row in grid) for index in range(len(table.columns))] if grid else []
    lines = [_plain_row(row, widths, table) for row in grid]
    return "\n".join([table.title, *lines] if table.title else lines)


def _plain_row(row: tuple[str, ...], widths: list[int], table: Table) -> str:
    cells = [
        cell.rjust(width) if index in table.numeric else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return GAP.join(cells).rstrip()


def _print_rich(tables: Sequence[Table]) -> None:
    """Print with a bold head; never folded: a table wider than the terminal is left to the terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for number, table in enumerate(tables):
        if number:
            console.print()
        if table.title:
            console.print(Text(table.title, style="bold"), soft_wrap=True)
        if table.rows:
            widest = max(map(len, plain_table(table).splitlines()))
            console.print(_rich_table(table), width=max(widest + len(GAP), console.width), crop=False)


def _rich_table(table: Table) -> "RichTable":
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=None, padding=(0, len(GAP), 0, 0), show_header=any(table.columns), header_style="dim")
    for index, column in enumerate(table.columns):
        shown.add_column(Text(column), justify="right" if index in table.numeric else "left", no_wrap=True)
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    return shown
