"""A table of text: aligned columns where plain, a rich table on a terminal."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer

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
    if not sys.stdout.isatty():
        typer.echo("\n\n".join(plain_table(table) for table in tables))
        return
    for table in tables:
        _print_rich(table)


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


def _print_rich(table: Table) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(
        title=Text(table.title) if table.title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=any(table.columns),
    )
    for index, column in enumerate(table.columns):
        shown.add_column(Text(column), justify="right" if index in table.numeric else "left")
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)
