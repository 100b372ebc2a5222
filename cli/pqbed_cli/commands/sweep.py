import typer

from pqbed_cli.options import AMOUNT, AXES, EACH_FETCH, LANES, PLACE, START, CaBundle, Json, ResumedRun, takes


@takes(AXES, AMOUNT, EACH_FETCH, LANES, PLACE, START)
def sweep(
    context: typer.Context,
    resume: ResumedRun = None,
    ca_bundle: CaBundle = None,
    json_output: Json = False,
) -> None:
    """Measure TTLB over a grid of links, profiles and sizes. Every axis takes a list: --rtt 35,200 --loss 0,1,3,10."""
    from pqbed_cli.workflows.sweep import resume_sweep, start_sweep

    code = start_sweep(context.params) if resume is None else resume_sweep(context.params)
    raise typer.Exit(code)
