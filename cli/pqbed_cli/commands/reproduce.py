from typing import Annotated

import typer

from pqbed_cli import options


def reproduce(
    context: typer.Context,
    study: Annotated[str | None, typer.Argument(metavar="STUDY", help="madweb2024 or madweb2024-wire.")] = None,
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Samples a point. [default: as many as were published]")
    ] = None,
    seed: options.Seed = None,
    lanes: options.Lanes = None,
    bed: options.BedOption = None,
    clock: options.ClockOption = None,
    calibrate: options.Calibrate = None,
    out: options.Out = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with this run (its folder, or latest); --lanes may differ.")
    ] = None,
    ca_bundle: options.CaBundle = None,
    json_output: options.Json = False,
) -> None:
    """Run a published study again and say, number by number, whether we find the same."""
    from pqbed_cli.reproducing import resume_study, start_study

    code = start_study(context.params) if resume is None else resume_study(context.params)
    raise typer.Exit(code)
