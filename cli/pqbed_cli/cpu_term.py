"""Measure, after a sweep in virtual time, what its handshakes would cost in CPU."""

from collections.abc import Sequence
from dataclasses import replace

from pqbed.errors import PqbedError
from pqbed.spec.profile import Profile
from pqbed.store.run import Run
from pqbed_cli.render.output import say


def add_handshake_cpu(run: Run, profiles: Sequence[Profile]) -> None:
    """Write it into the manifest of a run in virtual time, on the first run here some 3 s an algorithm, later at once.

    The sweep is done by then: where this cannot be measured, that is said, and is no failure.
    """
    from pqbed.algorithm_table.handshake_cpu import cost_names, handshake_cpu  # noqa: PLC0415 - only with a virtual clock
    from pqbed.algorithm_table.known_costs import costs_here  # noqa: PLC0415
    from pqbed.beds.programs import find_programs  # noqa: PLC0415

    manifest = run.manifest
    if manifest.clock != "virtual" or manifest.bed == "fake" or manifest.handshake_cpu:
        return
    try:
        programs = find_programs()
        if programs is None:
            return
        costs = costs_here(programs, cost_names(profiles), lambda name: say(f"CPU time of {name}", json_output=True))
        run.write_manifest(replace(run.manifest, handshake_cpu=handshake_cpu(profiles, costs)))
    except PqbedError as error:
        say(f"the CPU time of a handshake was not measured: {error.message}", json_output=True)
