"""Kernels of several series: an entry each, found again, and refused where another was built."""

import subprocess
from pathlib import Path

import pytest

from pqbed.artefacts import built_kernels, damaged_artefacts
from pqbed.artefacts.build_contexts import guest_contexts
from pqbed.artefacts.build_steps import Command, no_progress, run_commands
from pqbed.artefacts.debian_bootstrap import BuilderWork, work_hooks
from pqbed.artefacts.folder_integrity import seal
from pqbed.artefacts.guest_kernel import kernel_entry, kernel_work, read_kernel
from pqbed.artefacts.image_sources import recipe_folder
from pqbed.doctor import check_artefacts
from pqbed.errors import BuildError
from pqbed.spec.guest_kernels import DEFAULT_KERNEL, series_of


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/pqbed"


def build(entry: Path, version: str) -> None:
    entry.mkdir(parents=True)
    (entry / "linux").write_bytes(version.encode())
    (entry / "version").write_text(f"{version}\n")
    seal(entry)


def test_each_series_has_an_entry_and_the_default_one_is_that_of_its_series() -> None:
    entries = {series: kernel_entry(series=series) for series in ("6.12", "7.2", DEFAULT_KERNEL, None)}
    assert len(set(entries.values())) == 3
    assert entries[DEFAULT_KERNEL] == entries[None]


def test_the_recipe_prefers_the_default_series() -> None:
    script = (recipe_folder("uml") / "build-kernel.sh").read_text()
    assert f"preferred=linux-source-{DEFAULT_KERNEL}\n" in script


@pytest.mark.parametrize(("series", "argument"), [(None, "default"), (DEFAULT_KERNEL, "default"), ("6.12", "6.12")])
def test_the_recipe_gets_the_series(series: str | None, argument: str) -> None:
    assert kernel_work(Path("/out"), series=series).script[2] == argument


def test_older_series_are_linked_with_a_script_of_their_own(tmp_path: Path) -> None:
    folder = recipe_folder("uml")
    hooks = kernel_work(Path("/out"), series="6.12").before
    assert hooks[-1].endswith("sh /build/uml/link-older.sh /build/uml/build-kernel.sh")
    assert not any("link-older" in hook for hook in kernel_work(Path("/out")).before)
    script = tmp_path / "build-kernel.sh"
    script.write_bytes((folder / "build-kernel.sh").read_bytes())
    subprocess.run(["sh", folder / "link-older.sh", script], check=True)
    before, added, after = script.read_text().partition("vsscanf_c99(text, format, arguments)")
    assert added
    assert "<<'STRTO'" in before  # within what is added to um
    assert "\nSTRTO\n" not in before
    assert "\nSTRTO\n" in after
    assert subprocess.run(["sh", "-n", script], capture_output=True, check=False).stderr == b""


def test_images_of_guests_differ_by_series(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setattr("pqbed.artefacts.build_contexts.fetch_wheels", lambda *_: wheels)
    own, other = guest_contexts(())[-1], guest_contexts((), series="6.12")[-1]
    assert own.tag != other.tag
    assert (own.build_args["KERNEL"], other.build_args["KERNEL"]) == ("default", "6.12")


def test_a_kernel_built_in_place_of_the_one_asked_for_is_refused() -> None:
    entry = kernel_entry()
    build(entry, "7.4.1 (linux-source-7.4 7.4.1-1)")
    assert read_kernel(entry).version.startswith("7.4.1")
    with pytest.raises(BuildError, match=r"kernel 7\.3 cannot be had: 7\.4\.1 .* was built in its place"):
        read_kernel(entry, DEFAULT_KERNEL)


def test_built_kernels_are_those_of_the_recipe_and_damage_is_found_in_all() -> None:
    build(kernel_entry(), "7.3.4 (linux-source-7.3 7.3.4-1)")
    build(kernel_entry(series="6.12"), "6.12.118 (linux-source-6.12 6.12.118-1)")
    build(kernel_entry().with_name("0" * 16), "7.1.1 (linux-source-7.1 7.1.1-1)")  # of an older recipe
    releases = {release for _, release in built_kernels()}
    assert releases == {"7.3.4", "6.12.118"}
    (kernel_entry(series="6.12") / "linux").write_bytes(b"")
    assert damaged_artefacts() == {str(kernel_entry(series="6.12")): "linux was changed"}


def test_the_doctor_lists_built_kernels() -> None:
    assert check_artefacts(("6.12.118", "7.3.4"), ("0123",)).found == (
        "2 guest kernels (6.12.118, 7.3.4), 1 root file system"
    )


def test_a_refusal_of_a_script_is_the_whole_message() -> None:
    script = "echo compiling; echo '@refuse kernel 9.9 cannot be had: there is 7.3' >&2; echo E: hook failed; exit 1"
    with pytest.raises(BuildError) as caught:
        run_commands([Command(name="builder", argv=["sh", "-c", script])], no_progress)
    assert caught.value.message == "kernel 9.9 cannot be had: there is 7.3"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("codes", "ended"), [((0, 0), True), ((1, 0), False), ((0, 1), False)])
def test_scripts_of_a_builder_run_side_by_side_and_any_that_fails_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, int], ended: bool
) -> None:
    chroot = tmp_path / "bin/chroot"
    chroot.parent.mkdir()
    chroot.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    chroot.chmod(0o755)
    monkeypatch.setenv("PATH", f"{chroot.parent}:/usr/bin:/bin")
    works = []
    for number, code in enumerate(codes):
        script = tmp_path / f"{number}.sh"
        # Each waits for the other: one after the other they would never end.
        script.write_text(f"touch $1.{number}\nuntil [ -e $1.{1 - number} ]; do sleep 0.01; done\nexit {code}\n")
        works.append(BuilderWork(before=[], script=(str(script), str(tmp_path / "begun")), after=[]))
    (hook,) = work_hooks(*works)
    command = Command(name="hook", argv=["timeout", "20", "sh", "-c", hook, "sh", "/root"])
    if ended:
        run_commands([command], no_progress)
    else:
        with pytest.raises(BuildError):
            run_commands([command], no_progress)


@pytest.mark.parametrize(("release", "series"), [("6.12.118", "6.12"), ("7.3.4+deb", "7.3"), ("fake-1", ""), ("", "")])
def test_the_series_of_a_release(release: str, series: str) -> None:
    assert series_of(release) == series
