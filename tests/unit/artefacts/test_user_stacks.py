"""Stacks from files: kept under a hash, put whole into roots, refused when their files changed."""

from pathlib import Path

import pytest

from pqbed.artefacts.agent_source import source_hash
from pqbed.artefacts.build_contexts import stack_contexts
from pqbed.artefacts.root_stacks import extra_stacks
from pqbed.artefacts.uml_rootfs import root_entry
from pqbed.artefacts.user_stacks import (
    StackFiles,
    added_stacks,
    check_name,
    list_added,
    put_stacks,
    read_stack_files,
    remove_added,
    stage_stack,
)
from pqbed.errors import HostError, SpecError
from pqbed.spec.stacks import Stack, added_stacks_home, builtin_stacks, known_stacks, stack_named


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return added_stacks_home()


@pytest.fixture
def files(tmp_path: Path) -> StackFiles:
    for name in ("mine.so", "libmine.so.1"):
        (tmp_path / name).write_bytes(name.encode())
    return StackFiles(modules=(tmp_path / "mine.so",), libraries=(tmp_path / "libmine.so.1",))


@pytest.fixture
def added(home: Path, files: StackFiles) -> Stack:
    """The stack `mine`, added without the checks, which need a root."""
    (home / "mine").mkdir(parents=True)
    return stage_stack("mine", files, home / "mine")


def test_it_is_a_stack_like_any_other(added: Stack) -> None:
    assert known_stacks()["mine"] == stack_named("mine") == added
    assert list_added() == (added,)
    assert "mine" not in builtin_stacks()
    assert added.environment["OPENSSL_MODULES"] == added.environment["LD_LIBRARY_PATH"] == "/opt/pqbed/added/mine"


@pytest.mark.usefixtures("added")
def test_the_configuration_loads_the_module_beside_the_default_provider(home: Path) -> None:
    lines = (home / "mine/files/openssl.cnf").read_text().splitlines()
    assert "mine = mine_section" in lines
    assert lines.count("activate = 1") == 2


def test_roots_and_source_stay_what_they_were(files: StackFiles, home: Path) -> None:
    before = (root_entry(), source_hash())
    (home / "mine").mkdir(parents=True)
    stage_stack("mine", files, home / "mine")
    assert extra_stacks(("mine", "go")) == ("go",)
    assert (root_entry(("mine",)), source_hash()) == before


def test_it_is_put_into_a_root_whole_and_again_when_it_changed(
    added: Stack, files: StackFiles, home: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    put_stacks(root, ("openssl", "mine"))
    place = root / "opt/pqbed/added/mine"
    names = {"stack.toml", "openssl.cnf", "mine.so", "libmine.so.1"}
    assert {path.name for path in place.iterdir()} == names
    remove_added("mine")
    (tmp_path / "mine.so").write_bytes(b"newer")
    (home / "mine").mkdir()
    newer = stage_stack("mine", files, home / "mine")
    assert newer.hash != added.hash
    put_stacks(root, ("mine",))
    assert (place / "mine.so").read_bytes() == b"newer"
    assert [path.name for path in place.parent.iterdir()] == ["mine"]


@pytest.mark.usefixtures("added")
def test_files_that_changed_since_are_refused(home: Path) -> None:
    (home / "mine/files/mine.so").write_bytes(b"other")
    with pytest.raises(HostError, match="the files of the stack mine are not those that were added"):
        added_stacks(("mine",))


@pytest.mark.usefixtures("added")
def test_its_image_is_built_on_the_default_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pqbed.artefacts.build_contexts.fetch_wheels", lambda *_: tmp_path / "wheels")
    (tmp_path / "wheels").mkdir()
    *_, below, own = stack_contexts(("mine",))
    assert (below.stack, own.stack, own.build_args) == ("openssl", "mine", {"BASE": below.reference})
    copied = {path.relative_to(own.folder).as_posix() for path in own.folder.rglob("*") if path.is_file()}
    assert {"Dockerfile", "configure.sh", "stack.toml", "files/mine.so", "files/openssl.cnf"} <= copied


@pytest.mark.usefixtures("added")
def test_removing_leaves_nothing(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache/pqbed/roots/0123"
    put_stacks(root, ("mine",))
    remove_added("mine")
    assert not any(home.iterdir())
    assert not any((root / "opt/pqbed/added").iterdir())
    with pytest.raises(SpecError, match="no stack 'mine' was added"):
        remove_added("mine")


@pytest.mark.parametrize("name", ["Mine", "-mine", "mi/ne", "", "same", "uml", "openssl"])
def test_a_name_that_cannot_be(name: str) -> None:
    with pytest.raises(SpecError):
        check_name(name)


def test_a_name_is_given_once(added: Stack) -> None:
    with pytest.raises(SpecError, match=f"there is a stack {added.name} already"):
        check_name(added.name)


def test_a_folder_names_its_files(tmp_path: Path) -> None:
    (tmp_path / "stack.toml").write_text(
        'module = ["mine.so"]\nlibrary = ["lib.so.1"]\nenvironment = { LEVEL = "3" }\n'
    )
    files = read_stack_files(tmp_path)
    assert (files.modules, files.libraries) == ((tmp_path / "mine.so",), (tmp_path / "lib.so.1",))
    assert files.environment == {"LEVEL": "3"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("module = 'x'", "is not"), ("[", "is not TOML"), ("title = 'x'", "module"), ("module = []\nmodul = []", "modul")],
)
def test_a_wrong_folder_is_refused_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "stack.toml").write_text(text)
    with pytest.raises(SpecError, match=f"{tmp_path}/stack.toml.*{message}"):
        read_stack_files(tmp_path)
