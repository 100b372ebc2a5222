"""`pqbed init`: the file that is written, and the questions of a terminal."""

import sys
import tomllib
from pathlib import Path

import pytest
import typer

from pqbed.spec.presets import preset_names
from pqbed.spec.sweep_toml import read_spec, sweep_from
from support.command_line import Pqbed

GALLERY = [name for name in preset_names() if name not in {"default", "trace"}]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)


@pytest.mark.parametrize("name", GALLERY)
def test_what_is_written_is_the_preset(pqbed: Pqbed, tmp_path: Path, name: str) -> None:
    assert pqbed("init", "--preset", name).code == 0
    written, _ = sweep_from(read_spec(tmp_path / "sweep.toml"))
    assert written == sweep_from({}, under=read_preset(name))[0]
    assert all(line.isascii() for line in (tmp_path / "sweep.toml").read_text().splitlines())


def read_preset(name: str) -> dict[str, object]:
    from pqbed.spec.presets import preset

    return preset(name)


def test_each_key_has_a_comment_and_flags_answer(pqbed: Pqbed, tmp_path: Path) -> None:
    ended = pqbed(
        "init", "--rtt", "35,200", "--profile", "classical,pq", "--samples", "7", "--mtu", "1280", "--to", "a.toml"
    )
    assert "a.toml: 48 cells, from the preset web-mobile" in ended.out
    text = (tmp_path / "a.toml").read_text()
    table = tomllib.loads(text)
    assert table["rtt"] == ["35ms", "200ms"]
    assert (table["profile"], table["samples"], table["mtu"]) == (["classical", "pq"], 7, ["1280"])
    assert {"bandwidth", "loss", "size"} <= set(table)
    assert "link" not in table
    lines = text.splitlines()
    assert all(lines[lines.index(line) - 1].startswith("# ") for line in lines if line[:1].isalpha())
    assert "plain number" not in text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--preset", "web-mobil"), "did you mean 'web-mobile'?"),
        (("--size", "x"), "--size: 'x'"),
        (("--link", "nowhere"), "there is no link 'nowhere'"),
        (("--to", "there.toml"), "there.toml is there already"),
    ],
)
def test_a_wrong_answer_writes_nothing(pqbed: Pqbed, tmp_path: Path, typed: tuple[str, ...], said: str) -> None:
    (tmp_path / "there.toml").write_text("name = 'mine'\n")
    ended = pqbed("init", *typed)
    assert ended.code == 2
    assert said in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["there.toml"]
    assert (tmp_path / "there.toml").read_text() == "name = 'mine'\n"


def test_a_terminal_is_asked_what_no_flag_says(pqbed: Pqbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def answer(question: str, usual: str, *, err: bool) -> str:
        assert err
        asked.append((question, usual))
        return {"Response sizes": "0KiB,8KiB", "Samples per cell": "12"}.get(question, usual)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", answer)
    assert pqbed("init", "--profile", "classical,hybrid").code == 0
    assert [question for question, _ in asked] == [
        "Preset to start from (`pqbed presets`)",
        "Named links (`pqbed links`)",
        "Response sizes",
        "Samples per cell",
    ]
    table = tomllib.loads((tmp_path / "sweep.toml").read_text())
    assert (table["profile"], table["size"], table["samples"]) == (["classical", "hybrid"], ["0B", "8KiB"], 12)
    (tmp_path / "sweep.toml").unlink()
    asked.clear()
    assert pqbed("init", "--yes").code == 0
    assert asked == []


def test_presets_are_listed_with_what_they_are_for(pqbed: Pqbed) -> None:
    lines = pqbed("presets").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(preset_names())
    assert "web-mobile  Web pages over mobile networks." in lines
