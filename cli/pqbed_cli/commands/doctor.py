from typing import Annotated

import typer

from pqbed_cli.exits import HOST_UNFIT
from pqbed_cli.flags import Json

Verify = Annotated[bool, typer.Option("--verify", help="Read every built artefact and compare its hashes.")]


def doctor(verify: Verify = False, json_output: Json = False) -> None:
    """Check which beds this host can run. Print how to fix what is missing."""
    from pqbed.doctor import examine_host
    from pqbed_cli.render.doctor import print_diagnosis

    diagnosis = examine_host(verify=verify)
    print_diagnosis(diagnosis, json_output=json_output)
    if diagnosis.auto is None:
        raise typer.Exit(HOST_UNFIT)
