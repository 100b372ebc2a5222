from pqbed_cli.options import ReportOptions, takes


@takes(ReportOptions)
def report(options: ReportOptions) -> None:
    """Write the report of a run. One page that opens without a network, and its figures, into the run's folder."""
    from pqbed_cli.render.report_path import print_written
    from pqbed_cli.workflows import report as workflow

    print_written(workflow.report(options))
