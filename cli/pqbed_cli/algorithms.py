"""Put the table of algorithms together, from whatever of it this host can tell."""

from dataclasses import dataclass
from typing import cast, get_args

from pqbed.algorithm_table.liboqs import probe_liboqs
from pqbed.algorithm_table.probe import probe_stack
from pqbed.algorithm_table.table import AlgorithmKind, AlgorithmRow, select_rows, tabulate_algorithms, with_cpu_times
from pqbed.beds.programs import find_programs
from pqbed.errors import HostError, SpecError
from pqbed.spec.names import known_name
from pqbed_cli.render.output import say

NOT_BUILT = "the stack is not built here, so it was not asked what it has: `pqbed build` makes it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """`stack` and `liboqs` are the versions that were asked, or in words why they were not."""

    rows: tuple[AlgorithmRow, ...]
    stack: str
    liboqs: str


def read_kind(text: str | None) -> AlgorithmKind | None:
    """Return what --kind says. Raises SpecError."""
    return None if text is None else cast("AlgorithmKind", known_name(text, get_args(AlgorithmKind), "kind"))


def list_algorithms(name: str, kind: AlgorithmKind | None, *, cpu: bool) -> Listed:
    """Return the rows asked for. Raises SpecError where there is none, HostError where `cpu` cannot be measured."""
    run = find_programs()
    if run is None and cpu:
        raise HostError("the stack is not built here, so its CPU time cannot be measured", "run `pqbed build` first")
    probe = None if run is None else probe_stack(run)
    liboqs = probe_liboqs()
    rows = tabulate_algorithms(probe, liboqs.liboqs)
    rows = select_rows(rows, kind, name)
    if not rows:
        raise SpecError(f"no algorithm has {name!r} in its name", "see `pqbed algorithms` for all")
    if run is not None and cpu:
        rows = with_cpu_times(rows, run, lambda one: say(f"measuring {one}", json_output=True))
    return Listed(
        rows=rows,
        stack=NOT_BUILT if probe is None else probe.version,
        liboqs=liboqs.reason if liboqs.liboqs is None else f"liboqs {liboqs.liboqs.version}",
    )
