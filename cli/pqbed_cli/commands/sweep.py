import typer

from pqbed_cli.flags import Json
from pqbed_cli.options import SweepOptions, takes


@takes(SweepOptions)
def sweep(options: SweepOptions, json_output: Json = False) -> None:
    """Measure TTLB over a grid of links and profiles. Every axis takes a list: --rtt 35,200 --loss 0,1,3,10."""
    from pqbed_cli.render.run_summary import print_sweep
    from pqbed_cli.workflows import sweep as workflow

    result = workflow.sweep(options)
    print_sweep(result, json_output=json_output)
    raise typer.Exit(result.exit_code)
