# ruff: noqa: INP001 (a script, no package)
"""CLI reference in Markdown, from the Typer application.

Usage: `python scripts/cli_reference.py` prints the page's body; `make docs` puts it into docs/reference/cli.md.
"""

import re
from collections.abc import Iterator
from typing import Any

import typer

from pqbed_cli.main import app

# "[default: x]" at the end of a help text, where the default is not a constant.
_DEFAULT = re.compile(r"\s*\[default: (?P<value>[^]]+)\]$")


def render_reference() -> str:
    """Return one section per command, in the order of `pqbed --help`."""
    return "\n".join(line for command in _commands(typer.main.get_command(app), "pqbed") for line in _section(*command))


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (full name, command) for every command that does something itself."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child_name, child in children.items():
        yield from _commands(child, f"{name} {child_name}")


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [item for item in command.params if item.param_type_name == "argument"]
    options = [item for item in command.params if item.param_type_name == "option" and not item.hidden]
    yield f"## {name}\n"
    yield f"{_plain(command.help)}\n"
    yield f"```text\n{' '.join([name, *map(_usage, arguments), '[OPTIONS]'])}\n```\n"
    if arguments:
        yield "| argument | meaning | default |\n| -- | -- | -- |"
        yield from (_row(_metavar(item), item) for item in arguments)
        yield ""
    groups: dict[str, list[Any]] = {}
    for item in options:
        groups.setdefault(getattr(item, "rich_help_panel", None) or "", []).append(item)
    for title, items in groups.items():
        if title and len(groups) > 1:
            yield f"**{title}**\n"
        yield "| option | meaning | default |\n| -- | -- | -- |"
        yield from (_row(_flags(item), item) for item in items)
        yield ""


def _usage(argument: Any) -> str:
    return _metavar(argument) if argument.required else f"[{_metavar(argument)}]"


def _metavar(item: Any) -> str:
    return str(item.metavar or item.name.upper()).strip("[]{}")


def _flags(option: Any) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    return " / ".join([f"{flag}{value}" for flag in option.opts] + list(option.secondary_opts))


def _row(name: str, item: Any) -> str:
    text = _plain(item.help)
    stated = _DEFAULT.search(text)
    return f"| `{name}` | {_cell(_DEFAULT.sub('', text))} | {_cell(stated['value'] if stated else _default(item))} |"


def _default(item: Any) -> str:
    if item.required:
        return "required"
    return "" if item.default in (None, False) or callable(item.default) else f"`{item.default}`"


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(render_reference())  # noqa: T201 (its output)
