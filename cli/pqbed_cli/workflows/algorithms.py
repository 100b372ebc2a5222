"""The table of algorithms: what is published, and what the stack and liboqs of this host say."""

import contextlib
from typing import cast, get_args

from pqbed.algorithm_table.algorithm_rows import (
    AlgorithmKind,
    AlgorithmRow,
    select_rows,
    tabulate_algorithms,
    with_cpu_times,
)
from pqbed.algorithm_table.liboqs_sizes import probe_liboqs
from pqbed.algorithm_table.measured_sizes import lacks_sizes, measure_sizes
from pqbed.algorithm_table.stack_algorithms import Probe, makes_keys, probe_program, probe_stack
from pqbed.beds.measuring_bed import find_measuring_bed
from pqbed.beds.stack_programs import RunProgram, find_programs
from pqbed.errors import HostError, SpecError
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.stacks import Stack, stack_named
from pqbed.spec.value_parsers import naming
from pqbed_cli.options import AlgorithmOptions
from pqbed_cli.render.streams import note
from pqbed_cli.workflow_results import AlgorithmTable

TIMEOUT_NS = 60_000_000_000
NOT_BUILT = "the stack is not built, so it was not asked: run `pqbed build`"


def list_algorithms(options: AlgorithmOptions) -> AlgorithmTable:
    """Return the rows asked for. Raises SpecError if there are none, HostError if CPU time cannot be measured."""
    kind = _read_kind(options.kind)
    stack = _read_stack(options)
    programs = find_programs(stack)
    if programs is None and options.cpu:
        raise HostError("--cpu needs the stack, which is not built", "run `pqbed build` first")
    probe = None if programs is None else _probe(programs, stack)
    liboqs = probe_liboqs()
    rows = tabulate_algorithms(probe, liboqs.liboqs)
    rows = select_rows(rows, kind, options.name)
    if not rows:
        raise SpecError(f"no algorithm has {options.name!r} in its name", "see `pqbed algorithms` for all")
    if programs is not None and probe is not None and stack is not None:
        rows = _measure(rows, programs, stack)
    if programs is not None and options.cpu:
        rows = with_cpu_times(rows, programs, lambda name: note(f"measuring {name}"))
    return AlgorithmTable(
        rows=rows,
        stack=NOT_BUILT if probe is None else probe.version,
        liboqs=liboqs.reason if liboqs.liboqs is None else f"liboqs {liboqs.liboqs.version}",
        cpu=options.cpu,
    )


def _read_stack(options: AlgorithmOptions) -> Stack | None:
    with naming("--stack"):
        stack = None if options.stack is None else stack_named(options.stack)
    if stack is not None and stack.program and options.cpu:
        raise SpecError(f"--cpu measures OpenSSL's operations, and {stack.name} is another library", "leave --cpu out")
    return stack


def _probe(programs: RunProgram, stack: Stack | None) -> Probe:
    return probe_stack(programs) if stack is None or not stack.program else probe_program(programs, stack)


def _measure(rows: tuple[AlgorithmRow, ...], programs: RunProgram, stack: Stack) -> tuple[AlgorithmRow, ...]:
    """Return `rows` with the sizes that they lack, as far as a lane of the stack shows them."""
    lacking = [row for row in rows if lacks_sizes(row) and (row.kind == "group" or makes_keys(programs, row.name))]
    bed = find_measuring_bed(stack) if lacking else None
    if bed is None:
        if lacking:
            note(f"sizes of {len(lacking)} algorithms are not measured: no bed with the stack is built")
        return rows
    with contextlib.closing(bed):
        bed.prepare(() if stack.name == DEFAULT_STACK else (stack.name,))
        note(f"measuring the sizes of {len(lacking)} algorithms ({bed.name} bed)")
        measured = measure_sizes(lacking, stack, lambda profiles: bed.open_lane(0, profiles, TIMEOUT_NS))
    by_name = {(row.kind, row.name): row for row in measured}
    return tuple(by_name.get((row.kind, row.name), row) for row in rows)


def _read_kind(text: str | None) -> AlgorithmKind | None:
    with naming("--kind"):
        return None if text is None else cast("AlgorithmKind", known_name(text, get_args(AlgorithmKind), "kind"))
