"""Integrity checks of a stored run: files, plan, samples, floors and calibration.

Reading a run checks the sums of its parts and nothing more. This compares everything that a run holds with the plan in
its folder. Pure but for reading: a run is never changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from pqbed.errors import PqbedError
from pqbed.plan import Plan
from pqbed.reproduce.stored_plan import stored_plan
from pqbed.stats.below_floor import find_below_floor
from pqbed.stats.link_verdicts import link_verdicts
from pqbed.store.cells_table import tabulate_cells
from pqbed.store.checksums import read_sums
from pqbed.store.run_directory import SAMPLES_FOLDER, Run
from pqbed.store.table_schemas import ASKED

# Blocks of the plan laid out at once: a run may have more fetches than fit into memory as objects.
_FETCHES_TOGETHER = 200_000
# Columns of the cells table that the plan alone does not know.
_NOT_PLANNED = ("chain_wire_bytes", "client_chain_wire_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCheck:
    """One check: what was checked, whether it holds, and in one sentence what was seen."""

    name: str
    holds: bool
    detail: str


def verify_run(run: Run) -> Iterator[RunCheck]:
    """Yield the checks of `run` as they are made. What cannot be read is a check that does not hold."""
    try:
        yield _checksums(run)
        plan = stored_plan(run.path)
    except PqbedError as error:
        yield RunCheck(name="files", holds=False, detail=error.message)
        return
    checks: dict[str, Callable[[Plan, Run], str]] = {
        "plan": _compare_plan,
        "samples": _compare_samples,
        "counts": _count_samples,
        "conditions": _compare_conditions,
        "floor": _compare_floor,
        "calibration": _read_calibration,
    }
    for name, check in checks.items():
        try:
            yield RunCheck(name=name, holds=True, detail=check(plan, run))
        except _DoesNotHoldError as error:
            yield RunCheck(name=name, holds=False, detail=str(error))
        except PqbedError as error:
            yield RunCheck(name=name, holds=False, detail=error.message)


class _DoesNotHoldError(Exception):
    """A check that does not hold."""


def _checksums(run: Run) -> RunCheck:
    samples = run.samples().select(pl.len()).collect().item()  # raises on a damaged or missing part
    sums = read_sums(run.path)
    parts = [path.name for path in (run.path / SAMPLES_FOLDER).glob("part-*.parquet")]
    without = [name for name in parts if name not in sums]
    older = f"; {len(without)} of an older pqbed without a checksum" if without else ""
    return RunCheck(name="files", holds=True, detail=f"{samples} samples in {len(parts)} parts as written{older}")


def _compare_plan(plan: Plan, run: Run) -> str:
    """Compare the cells table and the manifest with the plan."""
    manifest, cells = run.manifest, run.cells().collect()
    if manifest.seed != plan.seed:
        raise _DoesNotHoldError(f"the manifest has seed {manifest.seed}, the plan {plan.seed}")
    if cells.is_empty():
        return f"{len(plan.cells)} cells planned, none measured yet"
    columns = [name for name in ASKED if name not in _NOT_PLANNED]
    planned = tabulate_cells(plan, {}).sort("cell_id")
    cells = cells.sort("cell_id")
    if not cells["cell_id"].equals(planned["cell_id"]):
        raise _DoesNotHoldError(f"{cells.height} cells stored, {planned.height} planned, and not the same")
    # A column that is null throughout is one that an older pqbed did not write.
    written = [name for name in columns if cells[name].null_count() < cells.height]
    unlike = [name for name in written if not cells[name].equals(planned[name])]
    if unlike:
        raise _DoesNotHoldError(f"cells.parquet and the plan differ in {', '.join(unlike)}")
    return f"{cells.height} cells as planned"


def _compare_samples(plan: Plan, run: Run) -> str:
    """Find samples that are there twice, and those that are no fetch of the plan: other cell, block or seed."""
    key = ("cell_id", "block", "repetition", "seed")
    samples = run.samples().select(key).collect()
    twice = samples.select("cell_id", "repetition").is_duplicated().sum()
    if twice:
        raise _DoesNotHoldError(f"{twice} samples share their cell and repetition with another")
    together = max(1, _FETCHES_TOGETHER // len(plan.cells))
    planned = 0
    for start in range(0, plan.block_count, together):
        numbers = range(start, min(start + together, plan.block_count))
        fetches = [(f.cell_id, f.block, f.repetition, f.seed) for number in numbers for f in plan.block(number)]
        schema = {name: samples.schema[name] for name in key}
        table = pl.DataFrame(fetches, schema=schema, orient="row")
        own = samples.filter(pl.col("block").is_between(numbers.start, numbers.stop - 1))
        planned += own.join(table, on=key, how="semi").height
    if planned < samples.height:
        raise _DoesNotHoldError(f"{samples.height - planned} of {samples.height} samples are no fetch of the plan")
    return f"{samples.height} samples, each once, each a fetch of the plan with its seed"


def _count_samples(plan: Plan, run: Run) -> str:
    counts = run.samples().group_by("cell_id").len().collect()
    taken, state = int(counts["len"].sum()), run.manifest.state
    whole = counts.height == len(plan.cells) and counts["len"].min() == counts["len"].max() == plan.samples
    if plan.precision_ppm is None and state == "finished" and not whole:
        raise _DoesNotHoldError(f"the run is finished and has {taken} of {plan.fetch_count} samples")
    if taken > plan.fetch_count:
        raise _DoesNotHoldError(f"{taken} samples, and no more than {plan.fetch_count} planned")
    return f"{taken} of {plan.fetch_count} samples, {state or 'not ended'}"


def _compare_conditions(_plan: Plan, run: Run) -> str:
    """Compare bed, clock and kernel of each sample with the manifest."""
    manifest = run.manifest
    names = ("bed", "clock", "kernel")
    seen = run.samples().select(pl.col(names).unique().implode()).collect()
    for name in names:
        values = sorted(seen[name][0])
        if values not in ([], [getattr(manifest, name)]):
            raise _DoesNotHoldError(f"{name}: {', '.join(values)} in the samples, {getattr(manifest, name)} noted")
    return f"{manifest.bed}, {manifest.clock} clock, kernel {manifest.kernel or 'not known'} throughout"


def _compare_floor(_plan: Plan, run: Run) -> str:
    below = find_below_floor(run.samples(), run.cells().collect())
    if below:
        raise _DoesNotHoldError(f"{len(below)} cells below their floor: {below[0].sentence()}")
    return "no sample is faster than its floor"


def _read_calibration(plan: Plan, run: Run) -> str:
    verdicts = link_verdicts(run.calibration())
    wrong = verdicts.filter("link_wrong")
    if wrong.height:
        first = wrong.row(0, named=True)
        raise _DoesNotHoldError(f"{wrong.height} links are wrong: {first['link_id']}: {first['link_deviations']}")
    return f"{verdicts.height} of {len(plan.links)} links calibrated, none wrong"
