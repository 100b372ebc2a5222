import typer

from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import CompareOptions, takes


@takes(CompareOptions)
def compare(options: CompareOptions, form: Format = TABLE) -> None:
    """Compare two runs cell by cell. Print how much slower RUN_B is than RUN_A, with 95% intervals."""
    from pqbed_cli.render.run_comparison import print_comparison
    from pqbed_cli.workflows import compare_runs as workflow

    comparison = workflow.compare(options)
    print_comparison(comparison, form)
    raise typer.Exit(comparison.gate.exit_code)
