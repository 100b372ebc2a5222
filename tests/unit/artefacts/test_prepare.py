import platform
import shutil

import pytest

from pqbed.artefacts import prepare, wheels
from pqbed.artefacts.bootstrap import bootstrap, require_bootstrap
from pqbed.artefacts.contexts import docker_contexts
from pqbed.artefacts.image_sources import recipe_folder
from pqbed.artefacts.kernel import kernel_entry
from pqbed.artefacts.rootfs import root_entry
from pqbed.artefacts.trust import trusted_bundle
from pqbed.errors import BuildError, HostError

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/pqbed"


@pytest.fixture
def offline_wheels(monkeypatch, tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "pycurl-0.tar.gz").touch()
    for module in ("prepare", "contexts"):
        monkeypatch.setattr(f"pqbed.artefacts.{module}.fetch_wheels", lambda *_: folder)
    return folder


def test_what_is_cached_is_not_made_again(monkeypatch):
    kernel, root = kernel_entry(), root_entry()
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text("Package: nginx\n")
    kernel.mkdir(parents=True)
    (kernel / "linux").write_bytes(b"ELF")
    (kernel / "version").write_text("7.3.4 (linux-source-7.3 7.3.4-1)\n")
    monkeypatch.setattr(prepare, "run_commands", lambda *_: pytest.fail("nothing is to be run"))
    made = prepare.prepare_uml()
    assert (made.kernel, made.root) == (kernel / "linux", root)
    assert made.kernel_version == "7.3.4 (linux-source-7.3 7.3.4-1)"
    (root / "var/lib/dpkg/status").write_text("Package: apache2\n")
    assert prepare.prepare_uml().root_hash != made.root_hash


@pytest.mark.usefixtures("offline_wheels")
def test_a_failed_step_leaves_no_entry(monkeypatch, cache):
    def fail(commands, *_):
        raise BuildError(f"{commands[0].name} failed")

    monkeypatch.setattr(prepare, "require_bootstrap", lambda: None)
    monkeypatch.setattr(prepare, "require_space", lambda _: None)
    monkeypatch.setattr(prepare, "run_commands", fail)
    with pytest.raises(BuildError):
        prepare.prepare_uml()
    left = {path.suffix for kind in ("kernels", "roots") for path in (cache / kind).iterdir()}
    assert left == {".lock"}


@pytest.mark.usefixtures("offline_wheels")
def test_a_missing_kernel_alone_does_not_make_a_root(monkeypatch):
    ran = []

    def run(commands, *_):
        ran.extend(commands)
        kernel = kernel_entry().with_name(f"{kernel_entry().name}.partial")
        (kernel / "linux").write_bytes(b"ELF")
        (kernel / "version").write_text("7.3.4\n")

    (root_entry() / "var/lib/dpkg").mkdir(parents=True)
    (root_entry() / "var/lib/dpkg/status").touch()
    monkeypatch.setattr(prepare, "require_bootstrap", lambda: None)
    monkeypatch.setattr(prepare, "require_space", lambda _: None)
    monkeypatch.setattr(prepare, "run_commands", run)
    prepare.prepare_uml()
    assert [command.name for command in ran] == ["builder"]
    assert not any("build-pycurl" in argument for argument in ran[0].argv)


def test_other_machines_are_told_what_they_can_do(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(HostError, match="needs x86-64") as caught:
        require_bootstrap()
    assert "docker" in caught.value.hint


def test_a_missing_tool_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(HostError, match="mmdebstrap") as caught:
        require_bootstrap()
    assert "apt install mmdebstrap" in caught.value.hint


def test_a_python_without_pip_is_told(monkeypatch):
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(HostError, match="has no pip"):
        wheels.fetch_wheels(lambda *_: None, None)


def test_added_certificates_reach_pip_and_apt_and_nothing_is_switched_off(tmp_path):
    given = tmp_path / "proxy.pem"
    given.write_text(PEM)
    bundle = trusted_bundle(given)
    assert bundle is not None
    assert bundle.read_text().endswith(PEM)
    command = bootstrap("x", variant="apt", ca_bundle=bundle)
    assert f'--aptopt=Acquire::https::CAInfo "{bundle}"' in command.argv
    assert not any("Verify" in argument or "insecure" in argument for argument in command.argv)
    assert wheels._download(tmp_path, bundle).env == {"PIP_CERT": str(bundle)}
    assert wheels._download(tmp_path, None).env == {}
    assert trusted_bundle(None) is None


@pytest.mark.parametrize("text", [None, "not a certificate"])
def test_a_bundle_that_holds_no_certificate_is_refused(tmp_path, text):
    path = tmp_path / "proxy.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(HostError, match=r"proxy\.pem"):
        trusted_bundle(path)


@pytest.mark.usefixtures("offline_wheels")
def test_contexts_hold_all_that_their_dockerfiles_copy():
    stack, guest = docker_contexts()
    for context in (stack, guest):
        for line in (context.folder / "Dockerfile").read_text().splitlines():
            if line.startswith("COPY") and "--from" not in line:
                for name in line.split()[1:-1]:
                    assert (context.folder / name).exists(), name
    assert stack.reference == f"pqbed/openssl:{stack.tag}"
    assert guest.build_args == {"STACK": stack.reference}
    assert (stack.folder / "pqbed/agent/__init__.py").is_file()
    assert docker_contexts() == (stack, guest)


@pytest.mark.usefixtures("offline_wheels")
def test_certificates_are_in_the_context_and_not_in_the_tag(tmp_path):
    given = tmp_path / "proxy.pem"
    given.write_text(PEM)
    plain, trusting = docker_contexts()[0], docker_contexts(ca_bundle=given)[0]
    assert plain.tag == trusting.tag
    assert (plain.folder / "ca.pem").read_bytes() == b""
    assert PEM in (trusting.folder / "ca.pem").read_text()


def test_the_recipe_of_the_guest_names_the_stack_it_stands_on():
    assert "FROM ${STACK}" in (recipe_folder("uml") / "Dockerfile").read_text()
