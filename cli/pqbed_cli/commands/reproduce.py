from typing import Annotated

import typer

from pqbed_cli.options import LANES, PLACE, CaBundle, Json, ResumedRun, Seed, takes


@takes(LANES, PLACE)
def reproduce(
    context: typer.Context,
    study: Annotated[str | None, typer.Argument(metavar="STUDY", help="madweb2024 or madweb2024-wire.")] = None,
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Samples a point. [default: as many as were published]")
    ] = None,
    seed: Seed = None,
    resume: ResumedRun = None,
    ca_bundle: CaBundle = None,
    json_output: Json = False,
) -> None:
    """Run a published study again and say, number by number, whether we find the same."""
    from pqbed_cli.workflows.study import resume_study, start_study

    code = start_study(context.params) if resume is None else resume_study(context.params)
    raise typer.Exit(code)
