from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import ShowOptions, takes


@takes(ShowOptions)
def show(options: ShowOptions, form: Format = TABLE) -> None:
    """Print the table of a run. Also while it is being measured, or after an interruption."""
    from pqbed_cli.render.run_summary import print_run
    from pqbed_cli.workflows import show as workflow

    print_run(workflow.show(options), form)
