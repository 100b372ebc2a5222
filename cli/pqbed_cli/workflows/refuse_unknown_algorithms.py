"""Groups and certificate algorithms that no stack of a sweep has, refused before anything starts.

pqbed's table is read first; stacks are asked only for names that it lacks. A stack that is not built yet cannot be
asked: the lane does so when it starts (agent/fetch_runner.py), and refuses in the same words.
"""

from collections.abc import Iterable

from pqbed.algorithm_table.stack_algorithms import probe_program, probe_stack
from pqbed.beds.stack_programs import find_programs
from pqbed.errors import SpecError
from pqbed.spec.profile import Profile
from pqbed.spec.stacks import stack_named
from pqbed.tls.stack_support import refuse_unknown_names


def refuse_unknown_algorithms(profiles: Iterable[Profile]) -> None:
    """Raise SpecError if a profile names what neither pqbed's table nor any of the profiles' stacks has."""
    arms = tuple(profiles)
    try:
        refuse_unknown_names(arms, ())
    except SpecError:
        listed = _listed(dict.fromkeys(name for arm in arms for name in (arm.stack, arm.clients_stack)))
        if listed is not None:
            refuse_unknown_names(arms, listed)


def _listed(stacks: Iterable[str]) -> tuple[str, ...] | None:
    """Return the groups and signature schemes of all `stacks`; None if one of them is not built."""
    names: list[str] = []
    for stack in map(stack_named, stacks):
        programs = find_programs(stack)
        if programs is None:
            return None
        probe = probe_program(programs, stack) if stack.program else probe_stack(programs)
        names += (*probe.groups, *probe.schemes)
    return tuple(names)
