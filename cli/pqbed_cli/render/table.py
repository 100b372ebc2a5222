"""Tables of text: aligned columns where plain, a rich table on a terminal, or a form that is read elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqbed_cli.flags import TABLE, Form
from pqbed_cli.render.streams import echo, note

if TYPE_CHECKING:
    from rich.table import Table as RichTable

GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells are text already. `numeric`: the indices of the columns that are set to the right.

    `once`: of the columns that people read once, for all the rows below that have the same in them.
    `titles`: what the title is the name of, where several tables of the same columns follow each other.
    """

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    once: tuple[int, ...] = ()
    titles: str = ""


def print_tables(tables: Sequence[Table], form: Form = TABLE) -> None:
    """Print tables one below the other, as the output allows; in another `form` than a table, in that."""
    if form != TABLE:
        from pqbed_cli.render.table_formats import write_tables

        echo(write_tables([table for table in tables if table.columns], form))
        for table in tables:
            if not table.columns or (form == "csv" and table.title and not table.titles):
                note(table.title)
    elif sys.stdout.isatty():
        _print_rich(tables)
    else:
        echo("\n\n".join(plain_table(table) for table in tables))


def widest(tables: Sequence[Table]) -> int:
    """Return the length of the longest line of all `tables`."""
    return max((len(line) for table in tables for line in plain_table(table).splitlines()), default=0)


def plain_table(table: Table) -> str:
    """Return `table` as lines of aligned text without any escape code."""
    grid = [table.columns, *_shown(table)] if any(table.columns) else [*_shown(table)]
    widths = [max(len(row[index]) for row in grid) for index in range(len(table.columns))] if grid else []
    lines = [_plain_row(row, widths, table) for row in grid]
    return "\n".join([table.title, *lines] if table.title else lines)


def _shown(table: Table) -> Iterator[tuple[str, ...]]:
    """Yield the rows as people read them: without what stands above already."""
    last: tuple[str, ...] | None = None
    for row in table.rows:
        named = tuple(row[place] for place in table.once)
        repeated = table.once if named == last else ()
        last = named
        yield tuple("" if place in repeated else cell for place, cell in enumerate(row))


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
    for row in _shown(table):
        shown.add_row(*(Text(cell) for cell in row))
    return shown
