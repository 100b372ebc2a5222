"""The composite action: its own steps, run as the runner would run them, on the fake bed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
SMALL = "--bed fake --rtt 35 --bandwidth 1 --size 0 --samples 40 --name 'two words'"


def run_sweep_step(folder: Path, **inputs: str) -> tuple[int, dict[str, str]]:
    """Return the exit code of the sweep's step, and its outputs."""
    given = {name: value["default"] for name, value in ACTION["inputs"].items()} | inputs
    step = STEPS["Sweep and judge"]
    names = {name: text.removeprefix("${{ inputs.").removesuffix(" }}") for name, text in step["env"].items()}
    (folder / "pqbed").mkdir()
    (folder / "pqbed" / "pyvenv.cfg").touch()
    os.utime(folder / "pqbed" / "pyvenv.cfg", (0, 0))
    environment = {
        **{name: given[option] for name, option in names.items()},
        **{f"GITHUB_{name}": str(folder / name) for name in ("OUTPUT", "STEP_SUMMARY")},
        "RUNNER_TEMP": str(folder),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    ended = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, timeout=120)
    lines = (folder / "OUTPUT").read_text().splitlines()
    return ended.returncode, dict(line.split("=", 1) for line in lines)


def test_a_broken_threshold_ends_the_job_after_everything_is_kept(tmp_path: Path) -> None:
    sweep = SMALL.replace("'two words'", "gated")
    code, outputs = run_sweep_step(
        tmp_path, sweep=sweep, **{"fail-if": "pq.ttlb.increase > 5%\n\nttlb > 20s\n", "require": "failures < 1"}
    )
    assert (code, outputs["exit-code"]) == (0, "5")
    assert (tmp_path / outputs["run"] / "report.html").is_file()
    assert "1 of 5 checks failed." in (tmp_path / "STEP_SUMMARY").read_text()
    assert (tmp_path / "pqbed.xml").is_file()


def test_a_refused_sweep_ends_with_its_exit_code_and_keeps_no_run(tmp_path: Path) -> None:
    code, outputs = run_sweep_step(tmp_path, sweep=SMALL)
    assert (code, outputs) == (0, {"exit-code": "2", "run": ""})


@pytest.mark.parametrize("name", [name for name, step in STEPS.items() if "run" in step])
def test_no_input_is_pasted_into_a_script(name: str) -> None:
    assert "${{" not in STEPS[name]["run"]
