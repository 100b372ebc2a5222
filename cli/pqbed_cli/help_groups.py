"""Help in groups: the options of a long command under headings, as plain text of any width."""

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand

from pqbed_cli.flags import OTHER, PANELS

# Up to so many options are read in one list as well.
MOST_UNGROUPED = 10
# Wider flags have their help on the next line.
WIDEST_FLAG = 25
RENAMED = {"--guard": "--lane-check", "--no-guard": "--no-lane-check"}
# Of commands that print a table.
FORMAT = {"--json": "--format=json"}


class GroupedCommand(TyperCommand):
    """A command whose help has headings, and that still takes flags by their old names."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        renamed = RENAMED | (FORMAT if any(parameter.name == "form" for parameter in self.params) else {})
        return super().parse_args(ctx, [renamed.get(word, word) for word in args])

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections = [(title, rows) for title, rows in _sections(self.get_params(ctx), ctx) if rows]
        width = max(len(flag) for _, rows in sections for flag, _ in rows if len(flag) <= WIDEST_FLAG)
        for title, rows in sections:
            with formatter.section(title):
                formatter.write_dl([(flag.ljust(width), text) for flag, text in rows], col_max=width)


def _sections(parameters: list[Any], ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield headings, and a row for each parameter below them: the flag with its metavar, and the help."""
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    yield "Arguments", [(argument.metavar, argument.help) for argument in arguments]
    options = [
        (_panel(option), row)
        for option in parameters
        if option not in arguments and (row := option.get_help_record(ctx))
    ]
    if len(options) <= MOST_UNGROUPED:
        yield "Options", [row for _, row in options]
        return
    for title in PANELS:
        yield title, [row for panel, row in options if panel == title]


def _panel(option: Any) -> str:
    return getattr(option, "rich_help_panel", None) or OTHER
