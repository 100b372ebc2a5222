"""The CPU time of handshakes, measured after a sweep in virtual time."""

from collections.abc import Sequence
from dataclasses import replace

from pqbed.errors import PqbedError
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.profile import Profile
from pqbed.store.run_directory import Run
from pqbed_cli.render.streams import note


def add_handshake_cpu(run: Run, profiles: Sequence[Profile], kinds: Sequence[ConnectionKind]) -> None:
    """Write it into the manifest of a run in virtual time: about 3 s per algorithm at first, from a cache later.

    The sweep is done by then: if this host cannot measure it, that is noted, and is no failure.
    """
    from pqbed.algorithm_table.cost_cache import costs_here
    from pqbed.algorithm_table.handshake_cpu import cost_names, handshake_cpu  # only with a virtual clock
    from pqbed.beds.stack_programs import find_programs

    manifest = run.manifest
    if manifest.clock != "virtual" or manifest.bed == "fake" or manifest.handshake_cpu:
        return
    try:
        programs = find_programs()
        if programs is None:
            return
        costs = costs_here(programs, cost_names(profiles), lambda name: note(f"measuring the CPU time of {name}"))
        run.write_manifest(replace(run.manifest, handshake_cpu=handshake_cpu(profiles, costs, kinds)))
    except PqbedError as error:
        note(f"the CPU time of a handshake was not measured: {error.message}")
