from pqbed_cli.options import ExportOptions, takes


@takes(ExportOptions)
def export(options: ExportOptions) -> None:
    """Export a table of a run as CSV, Parquet or JSON."""
    from pqbed_cli.render.streams import write_bytes
    from pqbed_cli.workflows import export as workflow

    write_bytes(workflow.export(options))
