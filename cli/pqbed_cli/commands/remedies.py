from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import RemediesOptions, takes


@takes(RemediesOptions)
def remedies(options: RemediesOptions, form: Format = TABLE) -> None:
    """Rank what helps a large chain, per link. Measured now for a link, a chain and a size, or from a RUN."""
    from pqbed_cli.render.remedies import print_remedies
    from pqbed_cli.workflows import remedies as workflow

    print_remedies(workflow.rank(options), form)
