import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pqbed.beds import choose_bed as choose
from pqbed.beds import make_bed as make
from pqbed.beds.choose_bed import choose_bed, decide_bed, pick
from pqbed.beds.fake_bed import FakeBed
from pqbed.beds.host_checks import PROBED_LATER, BedStatus, EngineInfo, EngineProbe, check_docker, check_uml, exec_tmpfs
from pqbed.beds.kernel_requirements import kernel_has_netem, kernel_seeds_netem
from pqbed.errors import EngineError, HostError, SpecError
from pqbed.spec.run_options import Clock

INFO = EngineInfo(version="29.1", api="1.52", kernel="6.12", machine="amd64", netem=True)
ENGINE = EngineProbe(info=INFO)
NO_ENGINE = EngineProbe(reason="unix:///var/run/docker.sock: No such file or directory")
DOCKER = BedStatus(bed="docker", usable=True, found="engine 29.1")
NO_DOCKER = BedStatus(bed="docker", usable=False, found="no engine", cure="start one")
UML = BedStatus(bed="uml", usable=True, found="x86_64")
NO_UML = BedStatus(bed="uml", usable=False, found="this is arm64", cure="use docker")


@pytest.mark.parametrize(
    ("docker", "uml", "clock", "taken"),
    [
        (DOCKER, UML, None, "docker"),
        (DOCKER, UML, "real", "docker"),
        (DOCKER, UML, "virtual", "uml"),
        (NO_DOCKER, UML, None, "uml"),
        (NO_DOCKER, UML, "real", "uml"),
        (DOCKER, NO_UML, None, "docker"),
    ],
)
def test_auto_takes_docker_with_netem_and_uml_otherwise(
    docker: BedStatus, uml: BedStatus, clock: Clock | None, taken: str
) -> None:
    assert pick(docker, uml, clock)[0] == taken


def test_auto_says_why_docker_was_not_taken() -> None:
    assert pick(NO_DOCKER, UML, None)[1] == "no engine"


@pytest.mark.parametrize(("docker", "clock"), [(NO_DOCKER, None), (DOCKER, "virtual")])
def test_auto_refuses_a_host_that_runs_nothing(docker: BedStatus, clock: Clock | None) -> None:
    with pytest.raises(HostError) as refused:
        pick(docker, NO_UML, clock)
    assert refused.value.hint == "use docker"


def test_a_named_bed_that_cannot_run_is_refused_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "check_bed", lambda name: NO_DOCKER if name == "docker" else NO_UML)
    with pytest.raises(EngineError, match="no engine") as engine:
        decide_bed("docker")
    assert engine.value.hint == "start one"
    with pytest.raises(HostError, match="arm64"):
        decide_bed("uml")


def test_a_clock_that_the_bed_lacks_is_refused() -> None:
    with pytest.raises(SpecError, match="no virtual clock"):
        decide_bed("netns", "virtual")


def test_the_fake_bed_is_always_there() -> None:
    bed, reason = choose_bed("fake")
    assert (bed.name, bed.clock) == ("fake", "virtual")
    assert reason.startswith("fake (virtual clock): asked for")


def test_an_engine_without_netem_in_its_kernel_does_not_do() -> None:
    without = EngineProbe(info=replace(INFO, netem=False))
    assert check_docker(ENGINE).usable
    assert not check_docker(without).usable
    assert "modprobe sch_netem" in check_docker(without).cure
    assert not check_docker(NO_ENGINE).usable


def test_a_netem_that_takes_no_seed_does_not_do_and_auto_says_why() -> None:
    old = check_docker(EngineProbe(info=replace(INFO, kernel="6.1.0-13-amd64")))
    assert not old.usable
    assert "takes no seed" in old.found
    assert "6.6" in old.cure
    assert pick(old, UML, None) == ("uml", old.found)
    vendor = check_docker(EngineProbe(info=replace(INFO, kernel="5.14.0-427.el9.x86_64")))
    assert vendor.usable
    assert PROBED_LATER in vendor.found


@pytest.mark.parametrize(
    ("release", "seeds"),
    [
        ("6.6.0", True),
        ("6.12.117+deb13-amd64", True),
        ("7.3.4", True),
        ("6.5.13", False),
        ("6.1.176", False),
        ("5.15.167.4-microsoft-standard-WSL2", False),
        ("5.14.0-427.el9.x86_64", None),
        ("unknown", None),
    ],
)
def test_a_release_tells_whether_netem_takes_a_seed(release: str, seeds: bool | None) -> None:
    assert kernel_seeds_netem(release) is seeds


def test_images_can_be_built_on_an_engine_without_netem(monkeypatch: pytest.MonkeyPatch) -> None:
    without = EngineProbe(info=replace(INFO, netem=False))
    monkeypatch.setattr(choose, "probe_engine", lambda: without)
    bed = FakeBed()
    monkeypatch.setattr(choose, "make_docker", lambda *_: bed)
    assert choose_bed("docker", to_measure=False)[0] is bed
    with pytest.raises(EngineError, match="no sch_netem"):
        choose_bed("docker")


def test_uml_needs_x86_64_and_what_builds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "x86-64" in check_uml(NO_ENGINE, "aarch64").found
    assert not check_uml(NO_ENGINE, "x86_64", which=lambda _: None).usable
    assert check_uml(NO_ENGINE, "x86_64", which=lambda name: name).usable
    for kind in ("kernels", "roots"):
        (tmp_path / "pqbed" / kind / "0123").mkdir(parents=True)
    assert check_uml(NO_ENGINE, "x86_64", which=lambda _: None).usable


def test_uml_runs_in_containers_of_an_engine_for_x86_64() -> None:
    assert check_uml(ENGINE, "aarch64").usable
    arm = EngineProbe(info=replace(INFO, machine="arm64"))
    assert not check_uml(arm, "aarch64").usable


def test_an_engine_that_does_not_tell_is_probed_and_uml_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = EngineProbe(info=replace(INFO, kernel="6.6-other", netem=None))
    monkeypatch.setattr(choose, "probe_engine", lambda: silent)
    monkeypatch.setattr(choose, "docker_refusal", lambda *_: HostError("this kernel has no sch_netem"))
    monkeypatch.setitem(make.MAKERS, "uml", make.MAKERS["fake"])
    _bed, reason = choose_bed("auto")
    assert reason.startswith("uml (virtual clock): the engine's kernel cannot shape (this kernel has no sch_netem)")
    monkeypatch.setattr(choose, "docker_refusal", lambda *_: None)
    monkeypatch.setitem(make.MAKERS, "docker", make.MAKERS["fake"])
    assert choose_bed("auto")[1].startswith("docker (real clock): engine 29.1")


def test_a_folder_in_memory_must_allow_execution(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    mounts.write_text(f"tmpfs {tmp_path} tmpfs rw,noexec 0 0\n")
    assert exec_tmpfs(mounts) is None
    mounts.write_text(f"tmpfs {tmp_path} tmpfs rw 0 0\n")
    assert exec_tmpfs(mounts) == tmp_path


def kernel(
    root: Path,
    *,
    config: str | None = None,
    builtin: str | None = None,
    loadable: str | None = None,
    loaded: bool = False,
) -> Path:
    """Lay out what a kernel of release 6.12 shows of itself."""
    for folder in ("proc", "lib/modules/6.12", "sys/module"):
        (root / folder).mkdir(parents=True)
    if config is not None:
        (root / "proc/config.gz").write_bytes(gzip.compress(config.encode()))
    if builtin is not None:
        (root / "lib/modules/6.12/modules.builtin").write_text(builtin)
    if loadable is not None:
        (root / "lib/modules/6.12/modules.dep").write_text(loadable)
    if loaded:
        (root / "sys/module/sch_netem").mkdir()
    return root


@pytest.mark.parametrize(
    ("shown", "has"),
    [
        ({"loaded": True}, True),
        ({"config": "CONFIG_NET_SCHED=y\nCONFIG_NET_SCH_NETEM=y\n"}, True),
        ({"config": "CONFIG_NET_SCHED=y\n# CONFIG_NET_SCH_NETEM is not set\n"}, False),
        ({"config": "CONFIG_NET_SCHED=y\nCONFIG_NET_SCH_NETEM=m\n"}, None),
        (
            {"config": "CONFIG_NET_SCHED=y\nCONFIG_NET_SCH_NETEM=m\n", "loadable": "kernel/net/sched/sch_fq.ko:\n"},
            False,
        ),
        ({"builtin": "kernel/net/sched/sch_netem.ko\n"}, True),
        ({"loadable": "kernel/net/sched/sch_netem.ko.zst:\n"}, True),
        ({}, None),
    ],
)
def test_a_kernel_tells_whether_it_has_netem(tmp_path: Path, shown: dict[str, Any], has: bool | None) -> None:
    assert kernel_has_netem(kernel(tmp_path, **shown), "6.12") is has
