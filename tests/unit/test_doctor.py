import json
from dataclasses import replace
from pathlib import Path

import pytest

from pqbed import doctor
from pqbed.beds.host_checks import BedStatus, EngineInfo, EngineProbe
from pqbed.doctor import (
    check_engine,
    check_engine_modules,
    check_governor,
    check_machine,
    check_modules,
    check_netem,
    check_python,
    check_steal,
)
from pqbed_cli.main import run

NO_ENGINE = EngineProbe(reason="unix:///var/run/docker.sock: No such file or directory")
NO_NETEM = EngineInfo(version="29", api="1.52", kernel="6.12", machine="amd64", netem=False)
NO_SEED = EngineInfo(version="29", api="1.52", kernel="6.1.0-13-amd64", machine="amd64", netem=True)
FAULT = ("kernel 6.1 has no sch_netem", "modprobe sch_netem")


def test_each_check_has_a_cure_where_it_is_not_ok(tmp_path: Path) -> None:
    (tmp_path / "governor").write_text("powersave\n")
    bad = (
        check_machine("aarch64"),
        check_python((3, 10)),
        check_engine(NO_ENGINE),
        check_engine(EngineProbe(info=NO_NETEM)),
        check_engine(EngineProbe(info=NO_SEED)),
        check_netem(FAULT),
        check_modules(("dummy", "cls_matchall")),
        check_governor(tmp_path / "governor"),
    )
    for check in bad:
        assert check.level != "ok"
        assert check.found
        assert check.cure


def test_what_a_host_does_not_tell_is_no_fault(tmp_path: Path) -> None:
    assert check_governor(tmp_path / "absent").level == "ok"
    assert check_steal(tmp_path / "absent").level == "ok"
    assert check_netem(None).level == "ok"
    assert check_modules(()).level == "ok"


def test_a_local_kernel_is_not_to_be_mended_for_a_remote_engine() -> None:
    for check in (
        check_netem(FAULT, engine_is_elsewhere=True),
        check_modules(("dummy",), engine_is_elsewhere=True),
    ):
        assert (check.level, check.cure) == ("ok", "")
        assert "only the netns bed" in check.found


def test_modules_are_named_with_the_features_that_need_them() -> None:
    check = check_modules(("sch_tbf", "act_police"))
    assert check.found == (
        "missing for --path-mtu SIZE:swallowed (act_police); --middlebox (act_police); "
        "--queue in bytes or ms (sch_tbf); --queue-discipline fq_codel (sch_tbf); --queue-discipline pie (sch_tbf)"
    )
    assert "modprobe -a sch_tbf act_police," in check.cure
    assert check_engine_modules(()).level == "ok"
    assert check_engine_modules(None).cure == "pqbed build --bed docker"
    assert "modprobe -a sch_cake;" in check_engine_modules(("sch_cake",)).cure


def test_an_engine_says_what_it_is_and_why_its_kernel_does_not_do() -> None:
    podman = replace(NO_SEED, name="Podman", rootless=True, system="Debian GNU/Linux 12 (bookworm)")
    check = check_engine(EngineProbe(info=podman))
    assert check.found.startswith("Podman 29, rootless (API 1.52)")
    assert check.found.endswith("a netem that takes no seed")
    assert "bookworm-backports" in check.cure
    assert "root of the engine's host" in check.cure


@pytest.mark.parametrize(("steal", "level"), [(0, "ok"), (1000, "warn")])
def test_steal_is_counted_since_boot(tmp_path: Path, steal: int, level: str) -> None:
    stat = tmp_path / "stat"
    stat.write_text(f"cpu 1000 0 1000 8000 0 0 0 {steal} 0 0\n")
    assert check_steal(stat, window_s=0).level == level


def test_disk_space_is_looked_for_where_the_artefacts_will_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_SPACE_BYTES", 1)
    monkeypatch.setattr(doctor, "LEAST_SPACE_BYTES", 1)
    assert doctor.check_space(tmp_path / "not/yet/there").level == "ok"
    monkeypatch.setattr(doctor, "ENOUGH_SPACE_BYTES", 1 << 60)
    monkeypatch.setattr(doctor, "LEAST_SPACE_BYTES", 1 << 59)
    assert doctor.check_space(tmp_path).level == "fail"


def bare_host(monkeypatch: pytest.MonkeyPatch, *, uml: bool) -> None:
    monkeypatch.setattr(doctor, "probe_engine", lambda: NO_ENGINE)
    monkeypatch.setattr(
        doctor, "check_uml", lambda _: BedStatus(bed="uml", usable=uml, found="seen", cure="" if uml else "x")
    )


def test_doctor_says_what_auto_takes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bare_host(monkeypatch, uml=True)
    assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "--bed auto takes uml: no container engine answers" in said
    assert "container engine: start Docker" in said
    assert "\x1b" not in said


def test_a_host_that_runs_nothing_ends_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare_host(monkeypatch, uml=False)
    assert run(["doctor", "--json"]) == 3
    diagnosis = json.loads(capsys.readouterr().out)
    assert diagnosis["auto"] is None
    assert {bed["bed"] for bed in diagnosis["beds"]} == {"docker", "netns", "uml"}
