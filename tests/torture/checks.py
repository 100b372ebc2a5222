"""What must hold after a round, told from the files and not from what pqbed says of itself."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pqbed.beds.choose_bed import check_bed
from pqbed.plan import plan_sweep
from pqbed.spec.sweep_toml import read_spec, sweep_from
from torture.processes import wait_until_gone
from torture.stage import Stage

GONE_AFTER_S = 20
# What a finished run may hold, in and above which nothing else is expected.
FINISHED = {"manifest.json", "sweep.toml", "SHA256SUMS", "samples", "journal", ".lock"}
TABLES = {"cells.parquet", "summary.parquet", "calibration.parquet", "cpu.parquet", "precision.parquet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Counts of a run's samples, by the plan and by their outcomes."""

    planned: int
    missing: int
    doubled: int
    foreign: int
    lost: int
    failed: int


def count_samples(run: Path) -> Samples:
    """Read the parts themselves: the code under test is not asked."""
    sweep, _ = sweep_from(read_spec(run / "sweep.toml"))
    planned = Counter((fetch.cell_id, fetch.repetition) for block in plan_sweep(sweep).blocks() for fetch in block)
    parts = sorted((run / "samples").glob("*.parquet"))
    rows = pl.concat([pl.read_parquet(part, columns=["cell_id", "repetition", "outcome"]) for part in parts])
    held = Counter(rows.select("cell_id", "repetition").iter_rows())
    outcomes = Counter(rows["outcome"])
    return Samples(
        planned=planned.total(),
        missing=(planned - held).total(),
        doubled=sum(number - 1 for number in held.values()),
        foreign=len(held.keys() - planned.keys()),
        lost=outcomes["lost"],
        failed=rows.height - outcomes["ok"] - outcomes["lost"],
    )


def leftovers(stage: Stage, run: Path | None) -> list[str]:
    """Return what a round left: processes, temporary folders, files half made, mounts, containers."""
    left = [f"process {pid}: {_command(pid)}" for pid in wait_until_gone(stage.folder, GONE_AFTER_S)]
    left += [f"temporary {path.name}" for path in stage.tmp.iterdir()]
    left += [f"beside the run: {path.name}" for path in stage.out.iterdir() if path != run]
    if run is not None:
        left += [f"in the run: {path.name}" for path in run.iterdir() if path.name not in FINISHED | TABLES]
        left += [f"journal {path.name}" for path in (run / "journal").iterdir()]
        left += [f"half a part: {path.name}" for path in (run / "samples").iterdir() if path.suffix != ".parquet"]
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    own = {str(stage.out), str(stage.tmp)}
    left += [f"mount {mount}" for mount in mounts if mount.startswith(f"{stage.folder}/") and mount not in own]
    return left + _containers(stage)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:80]
    except OSError:
        return "gone by now"


def _containers(stage: Stage) -> list[str]:
    if "DOCKER_HOST" not in os.environ and not check_bed("docker").usable:
        return []
    from pqbed.beds.docker.containers import find_labelled
    from pqbed.beds.docker.docker_sdk_engine import connect
    from pqbed.beds.docker.labels import owned_by
    from pqbed.errors import EngineError

    try:
        with connect() as engine:
            return [f"{thing.kind} {thing.name}" for thing in find_labelled(engine, owned_by(stage.owner))]
    except EngineError:
        return []
