import importlib.util
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.artefacts import agent_wheels, uml_artefacts
from pqbed.artefacts.build_contexts import docker_contexts
from pqbed.artefacts.build_steps import Command
from pqbed.artefacts.debian_bootstrap import bootstrap, require_bootstrap
from pqbed.artefacts.folder_integrity import seal
from pqbed.artefacts.guest_kernel import kernel_entry
from pqbed.artefacts.image_sources import recipe_folder
from pqbed.artefacts.trusted_certificates import trusted_bundle
from pqbed.artefacts.uml_rootfs import changing_folders, root_entry
from pqbed.errors import BuildError, HostError

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/pqbed"


@pytest.fixture
def offline_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "pycurl-0.tar.gz").touch()
    for module in ("uml_artefacts", "build_contexts"):
        monkeypatch.setattr(f"pqbed.artefacts.{module}.fetch_wheels", lambda *_: folder)
    return folder


def test_what_is_cached_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, root = make_kernel(), make_root()
    monkeypatch.setattr(uml_artefacts, "run_commands", lambda *_: pytest.fail("nothing is to be run"))
    made = uml_artefacts.prepare_uml()
    assert (made.kernel, made.root) == (kernel / "linux", root)
    assert made.kernel_version == "7.3.4 (linux-source-7.3 7.3.4-1)"
    (root / "var/lib/dpkg/status").write_text("Package: apache2\n")
    seal(root)
    assert uml_artefacts.prepare_uml().root_hash != made.root_hash


def make_kernel() -> Path:
    kernel = kernel_entry()
    kernel.mkdir(parents=True)
    (kernel / "linux").write_bytes(b"ELF")
    (kernel / "config").touch()
    (kernel / "version").write_text("7.3.4 (linux-source-7.3 7.3.4-1)\n")
    return kernel


def make_root() -> Path:
    root = root_entry()
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text("Package: nginx\n")
    seal(root, changing_folders())
    return root


@pytest.mark.usefixtures("offline_wheels")
def test_a_damaged_root_is_built_again_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    make_kernel()
    root = make_root()
    (root / "var/lib/dpkg/status").write_text("Package: apache2\n")
    steps = []

    def assemble(partial: Path, *_: Callable[..., Any] | Path) -> None:
        (partial / "var/lib/dpkg").mkdir(parents=True)
        (partial / "var/lib/dpkg/status").write_text("Package: nginx\n")

    monkeypatch.setattr(uml_artefacts, "require_bootstrap", lambda: None)
    monkeypatch.setattr(uml_artefacts, "require_space", lambda _: None)
    monkeypatch.setattr(uml_artefacts, "run_commands", lambda *_: None)
    monkeypatch.setattr(uml_artefacts, "assemble_root", assemble)
    assert str(root) in uml_artefacts.damaged_artefacts()
    uml_artefacts.prepare_uml(lambda name, _: steps.append(name))
    said = "the root file system in the cache is damaged, building it again: var/lib/dpkg/status was changed"
    assert steps == [said]
    assert (root / "var/lib/dpkg/status").read_text() == "Package: nginx\n"
    assert uml_artefacts.damaged_artefacts(full=True) == {}


@pytest.mark.parametrize("kind", ["kernel", "root"])
def test_an_emptied_folder_is_one_sentence_where_it_cannot_be_built(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for path in {"kernel": make_kernel(), "root": make_root()}[kind].iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(HostError, match="mmdebstrap is not installed"):
        uml_artefacts.prepare_uml()
    assert list(uml_artefacts.damaged_artefacts().values()) == ["it has no list of its contents"]


def test_a_kernel_of_an_older_pqbed_is_adopted_and_then_held_to_its_bytes() -> None:
    kernel = make_kernel()
    assert uml_artefacts.damaged_artefacts() == {}
    assert not (kernel / ".contents.json").exists()  # looking changes nothing
    make_root()
    uml_artefacts.prepare_uml()
    before = (kernel / "linux").stat()
    (kernel / "linux").write_bytes(b"ELG")
    os.utime(kernel / "linux", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert uml_artefacts.damaged_artefacts(full=False) == {}
    assert uml_artefacts.damaged_artefacts(full=True) == {str(kernel): "linux was changed"}


@pytest.mark.usefixtures("offline_wheels")
def test_a_failed_step_leaves_no_entry(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def fail(commands: list[Command], *_: Callable[..., Any] | dict[str, int]) -> None:
        raise BuildError(f"{commands[0].name} failed")

    monkeypatch.setattr(uml_artefacts, "require_bootstrap", lambda: None)
    monkeypatch.setattr(uml_artefacts, "require_space", lambda _: None)
    monkeypatch.setattr(uml_artefacts, "run_commands", fail)
    with pytest.raises(BuildError):
        uml_artefacts.prepare_uml()
    left = {path.suffix for kind in ("kernels", "roots") for path in (cache / kind).iterdir()}
    assert left == {".lock"}


@pytest.mark.usefixtures("offline_wheels")
def test_a_missing_kernel_alone_does_not_make_a_root(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def run(commands: list[Command], *_: Callable[..., Any] | dict[str, int]) -> None:
        ran.extend(commands)
        kernel = kernel_entry().with_name(f"{kernel_entry().name}.partial")
        (kernel / "linux").write_bytes(b"ELF")
        (kernel / "version").write_text("7.3.4\n")

    make_root()
    monkeypatch.setattr(uml_artefacts, "require_bootstrap", lambda: None)
    monkeypatch.setattr(uml_artefacts, "require_space", lambda _: None)
    monkeypatch.setattr(uml_artefacts, "run_commands", run)
    uml_artefacts.prepare_uml()
    assert [command.name for command in ran] == ["builder"]
    assert not any("build-client" in argument for argument in ran[0].argv)


def test_other_machines_are_told_what_they_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(HostError, match="needs x86-64") as caught:
        require_bootstrap()
    assert "docker" in caught.value.hint


def test_a_missing_tool_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(HostError, match="mmdebstrap") as caught:
        require_bootstrap()
    assert "apt install mmdebstrap" in caught.value.hint


def test_a_python_without_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(HostError, match="has no pip"):
        agent_wheels.fetch_wheels(lambda *_: None, None)


def test_added_certificates_reach_pip_and_apt_and_nothing_is_switched_off(tmp_path: Path) -> None:
    given = tmp_path / "proxy.pem"
    given.write_text(PEM)
    bundle = trusted_bundle(given)
    assert bundle is not None
    assert bundle.read_text().endswith(PEM)
    command = bootstrap("x", variant="apt", ca_bundle=bundle)
    pinned = agent_wheels.pinned_wheels()
    assert f'--aptopt=Acquire::https::CAInfo "{bundle}"' in command.argv
    assert not any("Verify" in argument or "insecure" in argument for argument in command.argv)
    assert agent_wheels._download(pinned, tmp_path, bundle).env == {"PIP_CERT": str(bundle)}
    assert agent_wheels._download(pinned, tmp_path, None).env == {}
    assert trusted_bundle(None) is None


@pytest.mark.parametrize("text", [None, "not a certificate"])
def test_a_bundle_that_holds_no_certificate_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "proxy.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(HostError, match=r"proxy\.pem"):
        trusted_bundle(path)


@pytest.mark.usefixtures("offline_wheels")
def test_contexts_hold_all_that_their_dockerfiles_copy() -> None:
    stack, guest = docker_contexts()
    for context in (stack, guest):
        for line in (context.folder / "Dockerfile").read_text().splitlines():
            if line.startswith("COPY") and "--from" not in line:
                for name in line.split()[1:-1]:
                    assert (context.folder / name).exists(), name
    assert stack.reference == f"pqbed/openssl:{stack.tag}"
    assert guest.build_args == {"STACK": stack.reference, "KERNEL": "default"}
    assert (stack.folder / "pqbed/agent/__init__.py").is_file()
    assert docker_contexts() == (stack, guest)


@pytest.mark.usefixtures("offline_wheels")
def test_certificates_are_in_the_context_and_not_in_the_tag(tmp_path: Path) -> None:
    given = tmp_path / "proxy.pem"
    given.write_text(PEM)
    plain, trusting = docker_contexts()[0], docker_contexts(ca_bundle=given)[0]
    assert plain.tag == trusting.tag
    assert (plain.folder / "ca.pem").read_bytes() == b""
    assert PEM in (trusting.folder / "ca.pem").read_text()


def test_the_recipe_of_the_guest_names_the_stack_it_stands_on() -> None:
    assert "FROM ${STACK}" in (recipe_folder("uml") / "Dockerfile").read_text()
