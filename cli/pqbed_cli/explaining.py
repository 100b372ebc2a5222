"""Choose the cells of a run, explain them, and print that."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pqbed.errors import SpecError, StoreError
from pqbed.reproduce import planned_cells
from pqbed.spec.axes import AXES
from pqbed.spec.cell import Cell
from pqbed.stats.explain import Explained, Explainer
from pqbed.store.run import Run
from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.render.explain import explained_lines, to_program
from pqbed_cli.render.output import print_json, say
from pqbed_cli.reporting import say_below_floor


def explain_run(run: Run, typed: Mapping[str, Any]) -> list[Explained]:
    """Explain what `typed` chooses. Raises SpecError where that is no cell, StoreError where the run cannot tell."""
    table = run.cells().collect()
    if table.is_empty():
        raise StoreError(f"{run.path} has no cells yet", "wait until its first lane is open")
    cells = planned_cells(run.path)
    if missing := set(table["cell_id"]) - set(cells):
        raise StoreError(f"the plan in {run.path} has no cell {min(missing)}", "read it with the pqbed that made it")
    present = {identity: cells[identity] for identity in table["cell_id"]}
    return Explainer(run.samples().collect(), table, present, typed.get("baseline")).explain(_choose(present, typed))


def print_explained(path: Path, explained: Sequence[Explained], *, json_output: bool) -> int:
    """Print all of `explained`, and what lies below its floor as an error; return the exit code."""
    if json_output:
        print_json({"run": str(path), "cells": [to_program(one) for one in explained]})
    else:
        say("\n".join(explained_lines(explained)))
    below = [one for cell in explained for one in cell.below]
    say_below_floor(below, json_output=json_output)
    return SOME_FAILED if below else 0


def _choose(cells: Mapping[str, Cell], typed: Mapping[str, Any]) -> list[str]:
    """Return the ids of the cells that all of the options name."""
    chosen = [identity for identity in cells if identity.startswith(typed.get("cell") or "")]
    if typed.get("cell") is None and typed.get("profile") is None:  # the A/A arm costs what the baseline does
        chosen = [identity for identity in chosen if cells[identity].profile.copy_of is None]
    if (names := typed.get("profile")) is not None:
        chosen = [identity for identity in chosen if cells[identity].profile.name in names.split(",")]
    for option, axis in AXES.items():
        if (text := typed.get(option)) is not None:
            wanted = axis.parse_values(text)
            chosen = [identity for identity in chosen if axis.value(cells[identity]) in wanted]
    if not chosen:
        raise SpecError("no cell of the run is meant by these options", "`pqbed show RUN` prints what the run holds")
    return chosen
