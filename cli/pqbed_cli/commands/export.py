from pqbed_cli.options import ExportOptions, takes


@takes(ExportOptions)
def export(options: ExportOptions) -> None:
    """Export a table of a run as CSV, Parquet or JSON."""
    from pqbed_cli.render.streams import binary_output
    from pqbed_cli.workflows import export as workflow

    with binary_output() as output:
        workflow.export(options, output)
