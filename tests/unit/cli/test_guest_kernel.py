"""The guests' kernel as an option of a run: named, recorded, shown, and never changed within a run."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pqbed.artefacts import OnStep
from pqbed.beds import choose_bed as choose
from pqbed.beds import make_bed as make
from pqbed.beds.bed_interface import Bed, BedName
from pqbed.beds.fake_bed import FakeBed, FakeLane
from pqbed.beds.host_checks import BedStatus
from pqbed.beds.up_session import find_session
from pqbed.spec.profile import Profile
from pqbed.spec.run_options import Clock
from pqbed_cli.exits import HOST_UNFIT
from support.command_line import Pqbed, only_run

GRID = ("--rtt", "35", "--bandwidth", "1", "--size", "0", "--no-aa", "--samples", "3", "--calibrate", "off")


class Guests(FakeBed):
    """A fake bed that says of its lanes that they are guests on a kernel of a series."""

    def __init__(self, clock: Clock, series: str | None) -> None:
        super().__init__(clock=clock)
        self.name: BedName = "uml"
        self.release = f"{series or '7.3'}.4"

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:  # noqa: ARG002 (it needs nothing)
        return {"kernel": f"{self.release} (linux-source) 0123456789abcdef"}

    def open_lane(self, index: int, profiles: Sequence[Profile], timeout_ns: int) -> FakeLane:
        lane = super().open_lane(index, profiles, timeout_ns)
        lane.facts = replace(lane.facts, kernel=self.release)
        return lane


@pytest.fixture(autouse=True)
def guests(monkeypatch: pytest.MonkeyPatch) -> None:
    def make_guests(
        clock: Clock,
        on_step: OnStep,  # noqa: ARG001 (nothing is built)
        ca_bundle: Path | None,  # noqa: ARG001
        kernel: str | None = None,
    ) -> Bed:
        return Guests(clock, kernel)

    monkeypatch.setattr(choose, "check_bed", lambda name: BedStatus(bed=name, usable=True, found="there"))
    monkeypatch.setattr(choose, "make_uml", make_guests)
    monkeypatch.setitem(make.MAKERS, "uml", make_guests)


def test_a_kernel_means_the_uml_bed_and_is_recorded_and_shown(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed("sweep", *GRID, "--kernel", "6.12")
    assert ended.code == 0, ended.err
    assert "bed: uml (virtual clock, kernel 6.12)" in ended.err
    assert ended.out.startswith("TTLB in ms on kernel 6.12.4")
    run = only_run(tmp_path)
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["kernel"] == "6.12.4"
    assert manifest["artefacts"]["kernel"].startswith("6.12.4 ")
    assert 'kernel = "6.12"' in (run / "sweep.toml").read_text()
    assert pqbed("show", "latest").out.startswith("TTLB in ms on kernel 6.12.4")


def test_the_default_kernel_is_not_named_in_tables(pqbed: Pqbed, tmp_path: Path) -> None:
    for typed in ((), ("--kernel", "7.3")):
        ended = pqbed("sweep", "--bed", "uml", *GRID, *typed, "--out", str(tmp_path / f"results{len(typed)}"))
        assert ended.code == 0, ended.err
        assert ended.out.startswith("TTLB in ms; all with")


def test_a_run_is_resumed_on_its_own_kernel(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *GRID, "--kernel", "6.12")
    resumed = pqbed("sweep", "--resume", "latest")
    assert resumed.code == 0, resumed.err
    assert json.loads((only_run(tmp_path) / "manifest.json").read_text())["kernel"] == "6.12.4"


def test_a_run_is_not_resumed_on_another_kernel(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("sweep", *GRID, "--kernel", "6.12")
    typed = pqbed("sweep", "--resume", "latest", "--kernel", "7.2")
    assert typed.code == 2
    assert "--kernel cannot be used with --resume" in typed.err
    sweep = only_run(tmp_path) / "sweep.toml"
    sweep.write_text(sweep.read_text().replace('kernel = "6.12"', 'kernel = "7.2"'))
    edited = pqbed("sweep", "--resume", "latest")
    assert edited.code == HOST_UNFIT
    assert "kernel was 6.12.4 (linux-source) 0123456789abcdef and is now 7.2.4" in edited.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--kernel", "6.1"), "--kernel: kernel 6.1 is too old: its netem takes no seed"),
        (("--kernel", "newest"), "--kernel: 'newest' is not a series of kernels"),
        (("--kernel", "6.12.3"), "--kernel: '6.12.3' is not a series of kernels"),
        (("--bed", "fake", "--kernel", "6.12"), "--kernel: the fake bed has no guests that could run kernel 6.12"),
    ],
)
@pytest.mark.parametrize("command", ["sweep", "plan", "build", "reproduce"])
def test_a_kernel_that_no_guest_can_run_is_refused(
    pqbed: Pqbed, command: str, typed: tuple[str, ...], said: str
) -> None:
    ended = pqbed(command, *(("paquin2020",) if command == "reproduce" else ()), *typed)
    assert ended.code == 2
    assert said in ended.err


def test_a_kernel_is_a_text_in_a_sweep_file(pqbed: Pqbed, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[run]\nkernel = 7.10\n")
    ended = pqbed("plan", "--spec", str(file))
    assert ended.code == 2
    assert "run.kernel" in ended.err
    file.write_text('[run]\nkernel = "7.10"\n')
    assert "bed: uml (virtual clock)" in pqbed("plan", "--spec", str(file)).out


def test_a_study_is_run_again_on_its_kernel(pqbed: Pqbed, tmp_path: Path) -> None:
    pqbed("reproduce", "madweb2024-wire", "--samples", "1", "--kernel", "6.12", "--calibrate", "off")
    manifest = json.loads((only_run(tmp_path) / "manifest.json").read_text())
    assert manifest["run_again"].endswith("--kernel 6.12")


def test_up_stays_on_its_kernel(pqbed: Pqbed) -> None:
    assert pqbed("up", "--kernel", "6.12").code == 0
    assert "6.12.4" in pqbed("status").out
    reopened = find_session()
    assert reopened is not None
    assert reopened.guest_kernel == "6.12"
    assert pqbed("fetch").code == 0
