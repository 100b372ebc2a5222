from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import RemediesOptions, takes


@takes(RemediesOptions)
def remedies(options: RemediesOptions, form: Format = TABLE) -> None:
    """Rank what helps, from a run. Of the preset remedies, or of any that varies profile, initcwnd or connection."""
    from pqbed_cli.render.remedies import print_remedies
    from pqbed_cli.workflows import remedies as workflow

    print_remedies(workflow.rank(options), form)
