"""A small sweep and the runs made of it, for the tests of the store and the runner."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.plan import Plan, plan_sweep
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch, Sample, Timings
from pqbed.spec.sweep import Sweep
from pqbed.store.checksums import SUMS_NAME
from pqbed.store.manifest import Manifest, start_manifest
from pqbed.store.run_directory import Run, create_run
from support.profiles import PQ

CLASSIC = Profile(name="classic", group="X25519", chain=Chain(algorithm="rsa2048"))
SWEEP = Sweep(
    name="small",
    rtt_ns=(35_000_000, 200_000_000),
    profiles=(CLASSIC, PQ),
    bandwidth_bps=(1_000_000,),
    size_bytes=(0, 51_200),
    samples=6,
)


def small_plan(**changes: Any) -> Plan:
    return plan_sweep(replace(SWEEP, **changes))


def manifest() -> Manifest:
    return start_manifest(
        command=["pqbed", "sweep"], bed="fake", clock="virtual", seed=1, artefacts={"root": "sha256:0"}
    )


def precise_plan(precision_ppm: int, samples: int = 100) -> Plan:
    """A sweep that some comparisons end before the others: on the fake bed 3 % takes 38 to 72 samples."""
    return small_plan(samples=samples, precision_ppm=precision_ppm)


def new_run(out: Path) -> Run:
    return create_run(out, "small", manifest(), {"sweep.toml": "name = 'small'\n"})


def sample(number: int, **timings: Any) -> Sample:
    values = {"outcome": "ok", "last_byte_ns": 1_000 + number, **timings}
    return Sample(
        fetch=Fetch(cell_id="c" * 12, block=number, repetition=number, seed=2**64 - 1 - number),
        timings=Timings(**values),
        lane=0,
        bed="fake",
        clock="virtual",
        kernel="fake-1",
        host="here",
    )


def planned(plan: Plan) -> list[tuple[str, int]]:
    """Return what a finished run must hold, each once, sorted."""
    return sorted((fetch.cell_id, fetch.repetition) for block in plan.blocks() for fetch in block)


def held(run: Run) -> list[tuple[str, int]]:
    """Return what `run` holds, with whatever is there twice, sorted."""
    return sorted(run.samples().select("cell_id", "repetition").collect().rows())


def files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder))


def forget_samples(run: Path) -> None:
    """Leave a run as if nothing had been measured: without its samples and their sums."""
    for part in (run / "samples").iterdir():
        part.unlink()
    (run / SUMS_NAME).unlink()
