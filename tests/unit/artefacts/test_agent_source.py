import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pqbed.artefacts import agent_source as source
from pqbed.artefacts.agent_source import agent_files, copy_source, put_source, source_hash
from pqbed.artefacts.folder_integrity import find_damage
from pqbed.artefacts.image_sources import PACKAGE, stack_entries
from pqbed.spec.stacks import known_stacks


def uncompiled(root: Path, folder: Path, shown: str) -> None:
    """Stand in for the root's own Python, which a folder of tests does not have."""


def test_only_modules_of_the_agent_go_in(tmp_path: Path) -> None:
    folder = put_source(tmp_path, uncompiled)
    assert folder.parent == tmp_path / "opt/pqbed/agent"
    copied = {path.relative_to(folder / "pqbed") for path in (folder / "pqbed").rglob("*") if path.is_file()}
    entries = {path for path in copied if path.parts[0] == "_stacks"}
    assert entries == {Path("_stacks", name, "stack.toml") for name in known_stacks()}
    copied -= entries
    modules = {path for path in copied if path.suffix == ".py"}
    assert modules == set(agent_files())
    assert copied - modules == {Path("_published/tls-groups.csv"), Path("_published/tls-signatures.csv")}
    assert {"spec", "net", "tls", "fetch", "calibrate", "agent"} <= {path.parts[0] for path in copied}
    assert not {"store", "stats", "report", "runner"} & {path.parts[0] for path in copied}


def imported(name: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((PACKAGE / name).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_agent_imports_nothing_an_image_lacks() -> None:
    allowed = sys.stdlib_module_names | {"pqbed", "pycurl", "pyroute2"}
    for name in agent_files():
        assert {module.split(".")[0] for module in imported(name)} <= allowed, name


def test_all_that_the_agent_imports_of_pqbed_goes_in_too() -> None:
    files = {name.with_suffix("").as_posix() for name in agent_files()}
    for name in agent_files():
        for module in imported(name):
            if module.startswith("pqbed."):
                path = module.removeprefix("pqbed.").replace(".", "/")
                assert files & {path, f"{path}/__init__"}, f"{name} imports {module}"


def test_putting_it_twice_changes_nothing(tmp_path: Path) -> None:
    first = put_source(tmp_path, uncompiled)
    before = first.stat().st_ino
    assert put_source(tmp_path, uncompiled) == first
    assert first.stat().st_ino == before
    assert {path.name for path in first.parent.iterdir()} == {first.name, f"{first.name}.verified"}


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_a_copy_that_was_changed_is_put_again(tmp_path: Path, change: str) -> None:
    first = put_source(tmp_path, uncompiled)
    module = first / "pqbed/agent/single_process_lane.py"
    text = module.read_text()
    if change == "edit":
        module.write_text(text + "\n")
    elif change == "add":
        (first / "sitecustomize.py").write_text("raise SystemExit\n")
    else:
        module.unlink()
    steps = []
    assert put_source(tmp_path, uncompiled, lambda name, _: steps.append(name)) == first
    assert len(steps) == 1
    assert "the agent's source in the cache is damaged" in steps[0]
    assert module.read_text() == text
    assert find_damage(first, full=True) == ""


def test_a_copy_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        target.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(source, "copy_source", fail)
    with pytest.raises(OSError, match="No space"):
        put_source(tmp_path, uncompiled)
    assert list((tmp_path / "opt/pqbed/agent").iterdir()) == []


def test_the_source_of_one_stack_is_not_changed_by_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one, all_of_them = source_hash(("openssl",)), source_hash()
    entry = tmp_path / "stack.toml"
    entry.write_text('title = "another"\n')
    entries = {**stack_entries(), "another": entry}
    monkeypatch.setattr(source, "stack_entries", lambda: entries)
    assert source_hash(("openssl",)) == one
    assert source_hash() != all_of_them
    copy_source(tmp_path / "pqbed", ("openssl",))
    assert [path.name for path in (tmp_path / "pqbed" / "_stacks").iterdir()] == ["openssl"]
