"""Every wrong request: its exit code, one sentence, a cure, and no traceback."""

from pathlib import Path

import pytest

from support.command_line import Pqbed

FAKE = ("--bed", "fake")


@pytest.mark.parametrize(
    ("arguments", "says", "cure"),
    [
        (("sweep", *FAKE, "--rtt", "35furlong"), "no unit 'furlong'", "ms"),
        (("sweep", *FAKE, "--profile", "classicla"), "no profile 'classicla'", "did you mean 'classical'"),
        (("sweep", *FAKE, "--loss", "101"), "out of range", "0% to 100%"),
        (("sweep", *FAKE, "--samples", "0"), "samples: '0'", "from 1"),
        (("sweep", *FAKE, "--samples", "many"), "samples: 'many'", "from 1"),
        (("sweep", "--bed", "dokcer"), "no bed 'dokcer'", "did you mean 'docker'"),
        (("sweep", *FAKE, "--clock", "sundial"), "no clock 'sundial'", "choose from"),
        (("sweep", "--bed", "docker", "--clock", "virtual"), "no virtual clock", "--bed uml"),
        (("sweep", *FAKE, "--preset", "demmo"), "no preset 'demmo'", "did you mean 'demo'"),
        (("sweep", *FAKE, "--preset", "demo", "--spec", "x.toml"), "--spec and --preset", "one of them"),
        (("sweep", *FAKE, "--spec", "absent.toml"), "absent.toml", "check the path"),
        (("sweep", "--resume", "latest"), "no run in results/", "pqbed sweep"),
        (("sweep", "--resume", "x", "--rtt", "35"), "--rtt cannot be used with --resume", "drop --rtt"),
        (("sweep", "--resume", "x", "--bed", "uml"), "--bed cannot be used with --resume", "drop --bed"),
        (("plan", *FAKE, "--jitter", "100", "--rtt", "35"), "jitter", "at most"),
        (("sweep", "--resume", "x", "--loss-up", "1"), "--loss-up cannot be used", "drop --loss-up"),
        (("sweep", "--resume", "x", "--initcwnd-client", "1"), "--initcwnd-client cannot be used", "drop"),
        (("sweep", "--resume", "x", "--max-samples", "1"), "--max-samples cannot be used", "drop --max-samples"),
        (("sweep", "--resume", "x", "--no-aa"), "--no-aa cannot be used", "drop --no-aa"),
        (("plan", *FAKE, "--loss-up", "x"), "--loss-up: 'x'", "write"),
        (("plan", *FAKE, "--client-stack", "x"), "--client-stack: ", "choose from"),
        (("plan", "--bed", "dokcer"), "--bed: there is no bed", "did you mean"),
        (("plan", "--clock", "sundial"), "--clock: there is no clock", "choose from"),
        (("plan", "--calibrate", "often"), "--calibrate: there is no way", "choose from"),
        (("plan", "--preset", "demmo"), "--preset: there is no preset", "did you mean"),
        (("up", "--bed", "dokcer"), "--bed: there is no bed", "did you mean"),
        (("up", *FAKE, "--clock", "x"), "--clock: there is no clock", "choose from"),
        (("up", *FAKE, "--rtt", "1,2"), "--rtt takes one value", "pqbed sweep"),
        (("up", *FAKE, "--jitter", "100"), "--jitter is more than half of --rtt", "smaller"),
        (("up", *FAKE, "--path-mtu", "1500:clamped"), "--path-mtu 1500:clamped is not below --mtu 1500", "smaller"),
        (("up", *FAKE, "--drop", "up:2", "--segmentation", "host"), "--drop counts packets as they are on", "leave"),
        (
            ("up", *FAKE, "--queue-discipline", "pie"),
            "--queue-discipline pie stands at the bottleneck",
            "--layout router",
        ),
        (
            ("plan", *FAKE, "--queue", "50ms", "--bandwidth", "none"),
            "50ms is what a rate sends in that time",
            "--bandwidth",
        ),
        (("plan", *FAKE, "--queue", "5x"), "--queue: '5x' is not a whole number", "from 1"),
        (("plan", *FAKE, "--ecn", "yes"), "--ecn: 'yes' is neither on nor off", "write on"),
        (("plan", *FAKE, "--cross-traffic", "down"), "--cross-traffic: 'down' is no cross traffic", "down:1"),
        (("plan", *FAKE, "--cross-traffic", "up:1", "--drop", "up:2"), "--drop counts packets of a fetch", "leave out"),
        (("trace", *FAKE, "--cross-traffic", "up:1"), "a trace shows one connection", "leave out"),
        (("trace", *FAKE, "--http", "3"), "a trace shows segments of tcp", "--http 1.1 or 2"),
        (("plan", *FAKE, "--http", "3", "--layout", "ends"), "--http 3 takes --layout router", "leave out --layout"),
        (("plan", *FAKE, "--rtt", "35", "--rtt", "200"), "--rtt is given 2 times: '35', '200'", "--rtt 35,200"),
        (("up", *FAKE, "--rtt", "35", "--rtt", "200"), "--rtt is given 2 times", "give it once"),
        (("plan", *FAKE, "--drop", "up:2,up:3", "--drop", "down:3"), "--drop is given 2 times", "give it once"),
        (("reproduce", "madweb2024", "--bed", "dokcer"), "--bed: there is no bed", "did you mean"),
        (("reproduce", "madweb2024", "--samples", "many"), "--samples: 'many'", "from 1"),
        (("algorithms", "--kind", "kem"), "--kind: there is no kind", "choose from"),
        (("show", "latest"), "no run in results/", "pqbed sweep"),
        (("show", "/nonexistent"), "no run at /nonexistent", "latest"),
        (("explain", "/nonexistent"), "no run at /nonexistent", "latest"),
        (("compare", "/nonexistent", "latest"), "no run at /nonexistent", "latest"),
        (("export", "/nonexistent", "--csv"), "no run at /nonexistent", "latest"),
        (("report", "/nonexistent"), "no run at /nonexistent", "latest"),
        (("export", "/nonexistent", "--csv", "--table", "x"), "--table: there is no table", "choose from"),
        (("show", "latest", "--percentile", "x"), "--percentile: 'x'", "99.9"),
        (("show", "latest", "--margin", "0"), "--margin must be greater than 0", "%"),
        (("show", "latest", "--percentile", "100"), "100 is not a percentile", "99.9"),
        (("show", "latest", "--margin", "1KiB"), "margin: '1KiB' is not a duration", "5ms"),
        (("up", "--bed", "flake"), "no bed 'flake'", "did you mean 'fake'"),
        (("up", *FAKE, "--profile", "nope"), "no profile 'nope'", "choose from"),
        (("down", "--bed", "flake"), "no bed 'flake'", "choose from"),
        (("fetch",), "no bed is up", "pqbed up"),
        (("link", "show"), "no bed is up", "pqbed up"),
        (("link", "set", "--rtt", "35"), "no bed is up", "pqbed up"),
        (("swep",), "no such command 'swep'", "pqbed --help"),
        (("sweep", "--rrt", "35"), "no such option: --rrt", "pqbed sweep --help"),
        (("show",), "missing argument 'RUN'", "pqbed show --help"),
        (("doctor", "now"), "unexpected extra argument", "pqbed doctor --help"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence_with_a_cure(
    pqbed: Pqbed, tmp_path: Path, arguments: tuple[str, ...], says: str, cure: str
) -> None:
    ended = pqbed(*arguments)
    sentence, hint = ended.err.splitlines()[-2:]
    assert ended.code == 2
    assert sentence.startswith("pqbed: ")
    assert says in sentence.lower() or says in sentence
    assert hint.startswith("  hint: ")
    assert cure in hint
    assert "Traceback" not in ended.err
    assert not (tmp_path / "results").exists()


def test_a_folder_that_cannot_hold_runs_is_told_before_anything_starts(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    ended = pqbed("sweep", "--bed", "fake", "--samples", "1", "--out", "file/results")
    assert ended.code == 3
    assert ended.out == ""
    assert "is not a folder" in ended.err
    assert "--out" in ended.err


def test_resuming_what_is_no_run_is_refused(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = pqbed("sweep", "--resume", "empty")
    assert ended.code == 3
    assert "is not a run directory" in ended.err
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_damaged_session_file_names_its_cure_and_down_removes_it(pqbed: Pqbed, tmp_path: Path) -> None:
    state = tmp_path / "state/pqbed/bed.json"
    state.parent.mkdir(parents=True)
    state.write_text("{torn")
    ended = pqbed("status")
    assert ended.code == 3
    assert "pqbed down" in ended.err
    assert pqbed("down", "--bed", "fake").code == 0
    assert pqbed("status").out == "no bed is up; `pqbed up` starts one\n"


def test_an_internal_error_ends_with_1_and_its_traceback(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pqbed.doctor.examine_host", lambda **_: 1 // 0)
    ended = pqbed("doctor")
    assert ended.code == 1
    assert "ZeroDivisionError" in ended.err
    assert "please report" in ended.err


def test_an_interrupt_outside_a_sweep_ends_with_130(pqbed: Pqbed, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pqbed.doctor.examine_host", interrupted)
    assert pqbed("doctor").code == 130
