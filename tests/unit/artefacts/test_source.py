import ast
import sys
from pathlib import Path

import pytest

from pqbed.artefacts import source
from pqbed.artefacts.image_sources import PACKAGE
from pqbed.artefacts.source import agent_files, put_source
from pqbed.spec.stacks import known_stacks


def test_only_modules_of_the_agent_go_in(tmp_path):
    folder = put_source(tmp_path)
    assert folder.parent == tmp_path / "opt/pqbed"
    copied = {path.relative_to(folder / "pqbed") for path in folder.rglob("*") if path.is_file()}
    entries = {path for path in copied if path.parts[0] == "_stacks"}
    assert entries == {Path("_stacks", name, "stack.toml") for name in known_stacks()}
    copied -= entries
    modules = {path for path in copied if path.suffix == ".py"}
    assert modules == set(agent_files())
    assert copied - modules == {Path("_published/tls-groups.csv"), Path("_published/tls-signatures.csv")}
    assert {"spec", "net", "tls", "fetch", "calibrate", "agent"} <= {path.parts[0] for path in copied}
    assert not {"store", "stats", "report", "runner"} & {path.parts[0] for path in copied}


def imported(name):
    for node in ast.walk(ast.parse((PACKAGE / name).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_agent_imports_nothing_an_image_lacks():
    allowed = sys.stdlib_module_names | {"pqbed", "pycurl", "pyroute2"}
    for name in agent_files():
        assert {module.split(".")[0] for module in imported(name)} <= allowed, name


def test_all_that_the_agent_imports_of_pqbed_goes_in_too():
    files = {name.with_suffix("").as_posix() for name in agent_files()}
    for name in agent_files():
        for module in imported(name):
            if module.startswith("pqbed."):
                path = module.removeprefix("pqbed.").replace(".", "/")
                assert files & {path, f"{path}/__init__"}, f"{name} imports {module}"


def test_putting_it_twice_changes_nothing(tmp_path):
    first = put_source(tmp_path)
    marker = first / "marker"
    marker.touch()
    assert put_source(tmp_path) == first
    assert marker.exists()
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_a_copy_that_fails_leaves_nothing(monkeypatch, tmp_path):
    def fail(target):
        target.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(source, "copy_source", fail)
    with pytest.raises(OSError, match="No space"):
        put_source(tmp_path)
    assert list((tmp_path / "opt/pqbed").iterdir()) == []
