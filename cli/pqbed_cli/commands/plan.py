from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import PlanOptions, takes


@takes(PlanOptions)
def plan(options: PlanOptions, form: Format = TABLE) -> None:
    """Dry-run a sweep. Print its axes, cells, sample counts and estimated time; start and write nothing."""
    from pqbed_cli.render.plan_table import print_preview
    from pqbed_cli.workflows.plan import preview

    print_preview(preview(options), form)
