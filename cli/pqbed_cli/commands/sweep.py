import typer

from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import SweepOptions, takes


@takes(SweepOptions)
def sweep(options: SweepOptions, form: Format = TABLE) -> None:
    """Measure TTLB over a grid of links and profiles. Every axis takes a list: --rtt 35,200 --loss 0,1,3,10."""
    from pqbed_cli.render.run_summary import print_sweep
    from pqbed_cli.workflows import sweep as workflow

    result = workflow.sweep(options)
    print_sweep(result, form)
    raise typer.Exit(result.exit_code)
