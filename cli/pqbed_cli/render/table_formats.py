"""Tables in Markdown, CSV and LaTeX, for what reads or prints them next."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pqbed_cli.flags import Form
from pqbed_cli.render.table import Table

_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "·": r"$\cdot$",
}
# A cell that begins with one of these is a formula to a spreadsheet.
_FORMULAS = ("=", "@", "\t", "\r")


def write_tables(tables: Sequence[Table], form: Form) -> str:
    """Return `tables` as text; those of one kind that follow each other as one, with their titles as a column."""
    return "\n\n".join(_WRITERS[form](table) for table in join_alike(tables))


def join_alike(tables: Sequence[Table]) -> Iterator[Table]:
    """Yield `tables`, with a column of titles instead of several tables of the same columns."""
    for _, group in itertools.groupby(tables, key=lambda table: (table.columns, table.titles, table.numeric)):
        first, *others = members = list(group)
        if not others or not first.titles:
            yield from members
            continue
        yield replace(
            first,
            title="",
            columns=(first.titles, *first.columns),
            rows=tuple((table.title, *row) for table in members for row in table.rows),
            numeric=tuple(place + 1 for place in first.numeric),
        )


def _markdown(table: Table) -> str:
    if not table.columns:
        return table.title
    places = range(len(table.columns))
    rules = ["--:" if place in table.numeric else "---" for place in places]
    rows = [[_markdown_cell(cell) for cell in row] for row in (table.columns, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], rules, *rows[1:])]
    return "\n".join([table.title, "", *lines] if table.title else lines)


def _markdown_cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _csv(table: Table) -> str:
    """Return the rows of `table`, quoted where needed; its title is not among them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if table.columns:
        writer.writerows([[_plain(cell) for cell in row] for row in (table.columns, *table.rows)])
    return text.getvalue().rstrip("\n")


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _latex(table: Table) -> str:
    """Return a `tabular` with the rules of booktabs; its title is a comment."""
    title = f"% {table.title}\n" if table.title else ""
    if not table.columns:
        return title.rstrip("\n")
    sides = "".join("r" if place in table.numeric else "l" for place in range(len(table.columns)))
    head, *rows = [" & ".join(map(_latex_cell, row)) + r" \\" for row in (table.columns, *table.rows)]
    body = ["\\toprule", head, "\\midrule", *rows, "\\bottomrule"]
    return "\n".join([f"{title}\\begin{{tabular}}{{{sides}}} % \\usepackage{{booktabs}}", *body, "\\end{tabular}"])


def _latex_cell(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)


_WRITERS: Mapping[Form, Callable[[Table], str]] = {"markdown": _markdown, "csv": _csv, "latex": _latex}
