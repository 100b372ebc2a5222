"""The plan stored in a run directory: study.toml, the study as it was before the run, or sweep.toml."""

import hashlib
import json
from pathlib import Path
from typing import Any

import tomli_w

from pqbed.plan import Plan, plan_hash, plan_sweep, plan_sweeps
from pqbed.report.run_facts import STUDY_FILE, SWEEP_FILE
from pqbed.spec.cell import Cell
from pqbed.spec.study import Study
from pqbed.spec.study_toml import ReadStudy, study_from
from pqbed.spec.sweep_toml import read_run_sweep, read_spec


def study_to_toml(table: dict[str, Any]) -> str:
    return tomli_w.dumps(table)


def is_study(run: Path) -> bool:
    """Return whether the run in this folder is one of a study."""
    return (run / STUDY_FILE).is_file()


def read_study(run: Path) -> ReadStudy:
    """Return the study of the run in this folder. Raises SpecError if it has none."""
    return study_from(read_spec(run / STUDY_FILE))


def plan_study(study: Study) -> Plan:
    """Return all sweeps of `study` as one plan."""
    return plan_sweeps(tuple(study.sweeps.values()), samples=study.samples, seed=study.seed)


def study_hash(read: ReadStudy) -> str:
    """Return 16 hexadecimal digits for the plan of a study and for what it claims, as its file says both."""
    text = plan_hash(plan_study(read.study)) + json.dumps(read.table, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stored_plan(run: Path) -> Plan:
    """Return the plan of the run in this folder. Raises SpecError if it is missing."""
    if is_study(run):
        return plan_study(read_study(run).study)
    sweep, _ = read_run_sweep(run / SWEEP_FILE)
    return plan_sweep(sweep)


def planned_cells(run: Path) -> dict[str, Cell]:
    """Return the cells of the run in this folder, by id. Raises SpecError if its plan is missing."""
    return stored_plan(run).cells
