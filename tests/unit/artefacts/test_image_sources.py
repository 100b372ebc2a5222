"""The recipes say one thing only, wherever it is said, and name no place to download from."""

import re
import subprocess
from pathlib import Path

import pytest

from pqbed.artefacts.guest_kernel import FRAGMENTS, kernel_entry
from pqbed.artefacts.image_sources import DOCKER_BASE, SUITE, read_packages, recipe_folder
from pqbed.artefacts.uml_rootfs import root_entry

IMAGES = Path(__file__).parents[3] / "images"
STACKS = ("openssl", "uml")


def dockerfile(stack: str) -> list[str]:
    lines = (IMAGES / stack / "Dockerfile").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_recipes_are_those_of_this_tree() -> None:
    assert recipe_folder("openssl") == IMAGES / "openssl"


@pytest.mark.parametrize("path", sorted(path for path in IMAGES.rglob("*") if path.is_file()), ids=str)
def test_no_recipe_names_a_host(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"\b[\w-]+\.(?:org|com|net|io|dev)\b", text)


@pytest.mark.parametrize("stack", STACKS)
def test_package_lists_are_sorted_and_used(stack: str) -> None:
    text = "\n".join(dockerfile(stack))
    for path in (IMAGES / stack).glob("packages-*.txt"):
        packages = read_packages(path)
        assert list(packages) == sorted(set(packages))
        assert f"sh /build/install.sh /build/{path.name}" in text
    assert "apt-get" not in text


@pytest.mark.parametrize("stack", STACKS)
def test_dockerfiles_keep_to_the_classic_builder(stack: str) -> None:
    lines = dockerfile(stack)
    assert lines[0] == f"ARG BASE={DOCKER_BASE}"
    assert {line.split()[0] for line in lines} <= {"ARG", "FROM", "COPY", "RUN", "ENV", "USER"}
    assert not re.search(r"--mount|--chmod|--link|<<", "\n".join(lines))


def test_the_suite_is_the_same_everywhere() -> None:
    assert f"debian:{SUITE}-slim" == DOCKER_BASE


def test_both_ways_run_the_same_scripts() -> None:
    for stack, scripts in (
        ("openssl", ("build-client.sh", "settle.sh")),
        ("uml", ("add-backports.sh", "build-kernel.sh", *FRAGMENTS)),
    ):
        for script in scripts:
            assert script in "\n".join(dockerfile(stack))
            assert (IMAGES / stack / script).is_file()


@pytest.mark.parametrize("script", sorted([*IMAGES.rglob("*.sh"), IMAGES.parent / "scripts/setup.sh"]), ids=str)
def test_scripts_are_plain_shell(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", script], capture_output=True, check=False).stderr == b""


def test_wheels_are_pinned_by_version_and_hash() -> None:
    lines = [line for line in (IMAGES / "openssl/wheels.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    for line in lines:
        assert re.fullmatch(r"[a-z0-9]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line)


def test_a_changed_recipe_is_another_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kernel, root = kernel_entry(), root_entry()
    assert kernel.parent == tmp_path / "pqbed/kernels"
    assert kernel_entry((*FRAGMENTS, "packages-build.txt")) != kernel
    assert root_entry() == root
    assert root.name != kernel.name
