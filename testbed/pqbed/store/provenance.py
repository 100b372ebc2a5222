"""What all samples of a run have in common, and the refusal to add others to them.

A field that the manifest does not have (an older pqbed made the run) is not compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pqbed.errors import StoreError
from pqbed.net.sysctls import UNSTABLE
from pqbed.store.manifest import Manifest
from pqbed.store.run_directory import Run

NONE = "none"
# Hashes are long, and their beginnings differ.
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was when the run began."""

    name: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.name} was {self.then[:_SHOWN_CHARACTERS]} and is now {self.now[:_SHOWN_CHARACTERS]}"


def refuse_other_plan(run: Run, *, plan: str, seed: int, file: str, restart: str) -> None:
    """Refuse a plan other than the one that `run` began with, or samples of another bed, clock or kernel.

    `plan` is the hash of what `file` of the run directory plans now. Raises StoreError; `restart` is the command that
    it names.
    """
    manifest = run.manifest
    differences = [*_differ(f"the seed in {file}", manifest.seed, seed), *_other_samples(run, manifest)]
    if manifest.plan and not differences:
        differences += _differ(f"the plan in {file}", manifest.plan, plan)
    _refuse(run, differences, restart)


def refuse_other_artefacts(run: Run, artefacts: Mapping[str, str], restart: str) -> None:
    """Refuse artefacts (kernel, root, agent's source, images) other than those that `run` began with, by hash."""
    began = run.manifest.artefacts
    if not began:
        return
    names = sorted(began.keys() | artefacts.keys())
    pairs = ((name, began.get(name, NONE), artefacts.get(name, NONE)) for name in names)
    _refuse(run, [difference for pair in pairs for difference in _differ(*pair)], restart)


def other_lane(manifest: Manifest, kernel: str, versions: Mapping[str, str], sysctls: Mapping[str, str]) -> str:
    """Return how a lane differs from those that the manifest names, "" if it does not."""
    differences = [*_differ("the kernel", manifest.kernel or kernel, kernel)]
    for was, now in ((manifest.versions, versions), (manifest.sysctls, sysctls)):
        for name in sorted((was.keys() & now.keys()) - UNSTABLE):
            differences += _differ(name, was[name], now[name])
    return "; ".join(map(str, differences))


def _other_samples(run: Run, manifest: Manifest) -> Iterator[Difference]:
    """Yield how samples of the run differ from its manifest."""
    rows = run.samples().select("bed", "clock", "kernel").unique(maintain_order=True).collect()
    for bed, clock, kernel in rows.iter_rows():
        yield from _differ("the bed of the manifest", bed, manifest.bed)
        yield from _differ("the clock of the manifest", clock, manifest.clock)
        yield from _differ("the kernel of the manifest", kernel, manifest.kernel or kernel)


def _differ(name: str, then: object, now: object) -> list[Difference]:
    return [] if then == now else [Difference(name, str(then), str(now))]


def _refuse(run: Run, differences: list[Difference], restart: str) -> None:
    if differences:
        changes = "; ".join(map(str, differences))
        raise StoreError(
            f"{run.path} cannot be resumed, since its samples would not be comparable: {changes}",
            f"undo the change, or start a new run: {restart}",
        )
