"""The JSON schema of sweep files: what pqbed reads is valid, what it refuses by form is not."""

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pqbed.spec import presets
from pqbed.spec.axes import AXES
from support.command_line import SMALL, Pqbed, only_run

PRESETS = ("default", "demo", "trace")
STORED = sorted((Path(__file__).parents[2] / "golden" / "runs").glob("*/sweep.toml"))


@pytest.fixture
def schema(pqbed: Pqbed) -> dict[str, Any]:
    ended = pqbed("schema")
    assert ended.code == 0
    schema: dict[str, Any] = json.loads(ended.out)
    return schema


def problems(schema: dict[str, Any], text: str) -> list[str]:
    Draft202012Validator.check_schema(schema)
    return [error.message for error in Draft202012Validator(schema).iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(schema: Any, name: str) -> None:
    assert problems(schema, resources.files(presets).joinpath(f"{name}.toml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_the_sweep_files_of_stored_runs_are_valid(schema: Any, path: Path) -> None:
    assert problems(schema, path.read_text(encoding="utf-8")) == []


def test_the_sweep_file_of_a_new_run_is_valid(pqbed: Pqbed, schema: Any, tmp_path: Path) -> None:
    assert pqbed("sweep", *SMALL, "--samples", "1").code == 0
    assert problems(schema, (only_run(tmp_path) / "sweep.toml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        'profile = "classical, pq"\nrtt = "35ms"\nsize = "0KiB"',
        'distribution = "uniform,normal"\njitter = ["1ms"]',
        "[run]\nlanes = 2\nlane_check = false",
        "[run]\nguard = false",
        '[profiles.mine]\ngroup = "X25519"\nchain = { algorithm = "p256", depth = 3 }',
    ],
)
def test_what_is_read_is_valid(schema: Any, pqbed: Pqbed, tmp_path: Path, text: str) -> None:
    assert problems(schema, text) == []
    (tmp_path / "sweep.toml").write_text(text)
    assert pqbed("plan", "--bed", "fake", "--spec", "sweep.toml").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "rrt = 35",
        "[run]\nlane = 1",
        "rtt = true",
        "rtt = [[35]]",
        'segmentation = "wyre"',
        'layout = ["ends", "star"]',
        '[run]\nbed = "dokcer"',
        "aa = 1",
        '[profiles.mine]\ngroup = "X25519"',
        '[profiles.mine]\ngroup = "X25519"\nchain = { algorithm = "p256", depth = 99 }',
    ],
)
def test_what_is_refused_is_not_valid(schema: Any, pqbed: Pqbed, tmp_path: Path, text: str) -> None:
    assert problems(schema, text)
    (tmp_path / "sweep.toml").write_text(text)
    assert pqbed("plan", "--bed", "fake", "--spec", "sweep.toml").code == 2


def test_every_axis_has_its_help_as_description(schema: Any) -> None:
    for option, axis in AXES.items():
        assert schema["properties"][option]["description"] == axis.help
