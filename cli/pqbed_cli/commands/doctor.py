from typing import Annotated

import typer

from pqbed_cli.exits import HOST_UNFIT
from pqbed_cli.flags import TABLE, Format

Verify = Annotated[bool, typer.Option("--verify", help="Read every built artefact and compare its hashes.")]
Probe = Annotated[bool, typer.Option("--probe", help="Try in a container what features need of the engine's kernel.")]


def doctor(verify: Verify = False, probe: Probe = False, form: Format = TABLE) -> None:
    """Check which beds this host can run. Print how to fix what is missing."""
    from pqbed.doctor import examine_host
    from pqbed_cli.render.doctor import print_diagnosis

    diagnosis = examine_host(verify=verify, probe_modules=probe)
    print_diagnosis(diagnosis, form)
    if diagnosis.auto is None:
        raise typer.Exit(HOST_UNFIT)
