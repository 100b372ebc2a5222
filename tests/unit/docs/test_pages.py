"""The documentation as a whole: commands that exist, files that are there, links that lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pqbed_cli.main import app

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "changelog.d").glob("*.md"),
        *ROOT.glob(".github/*.md"),
    ]
)
COLUMNS = 100
COMMAND = typer.main.get_command(app)


def typed_commands(text: Any) -> Iterator[Any]:
    """Yield what stands behind the prompts of console blocks: `pqbed sweep --rtt 35`."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        yield from re.findall(r"^ *[$#] pqbed (.*)$", block.replace("\\\n", " "), re.MULTILINE)


def options_of(command: Any) -> Any:
    return {flag for item in command.params for flag in (*item.opts, *item.secondary_opts)} | {"--help", "-h"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_on_a_page_exist(page: Any) -> None:
    for line in typed_commands(page.read_text()):
        command: Any = COMMAND
        words = shlex.split(line, comments=True)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), f"there is no such command: {line}"
        flags = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert flags <= options_of(command), line


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_and_typed_commands_are_wrapped(page: Any) -> None:
    """Tables, and what programs print, are as wide as they are. The indentation of an admonition does not count."""
    text = re.sub(r"```.*?```", keep_typed, page.read_text(), flags=re.DOTALL)
    lines = [line.strip() for line in text.splitlines() if not line.lstrip().startswith("|")]
    assert [line for line in lines if len(line) > COLUMNS] == []


def keep_typed(block: re.Match[str]) -> str:
    """Return the lines of a block of code that a reader types."""
    return "\n".join(re.findall(r"^ *[$#] .*(?:(?<=\\)\n.*)*", block[0], re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_on_a_page_lead_somewhere(page: Any) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.read_text()), target


def anchors(text: Any) -> Any:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_code_names_pages_that_exist() -> None:
    """Comments and docstrings that send a reader to docs/ name files there."""
    sources = [*(ROOT / "testbed").rglob("*.py"), *(ROOT / "cli").rglob("*.py"), *(ROOT / "images").rglob("*.*")]
    for source in sources:
        if not source.is_file() or source.suffix not in {".py", ".toml", ".go", ".cpp", ".sh"}:
            continue
        for name in re.findall(r"docs/[\w./-]+", source.read_text(encoding="utf-8")):
            assert list((ROOT / name).parent.glob(f"{(ROOT / name.rstrip('.')).name}*")), f"{source}: {name}"


def test_every_design_note_is_in_the_index_and_in_the_navigation() -> None:
    notes = sorted(path.name for path in (ROOT / "docs" / "design").glob("dd-*.md"))
    index = (ROOT / "docs" / "design" / "index.md").read_text()
    assert re.findall(r"^\| \[dd-\d+\]\((.*?)\)", index, re.MULTILINE) == notes
    assert re.findall(r"design/(dd-.*\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE) == notes
