from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import FleetOptions, takes


@takes(FleetOptions)
def fleet(options: FleetOptions, form: Format = TABLE) -> None:
    """Print what a profile costs a population. One number with its interval, and what it is made of."""
    from pqbed_cli.render.fleet import print_fleet
    from pqbed_cli.workflows import fleet as workflow

    print_fleet(workflow.fleet(options), form)
