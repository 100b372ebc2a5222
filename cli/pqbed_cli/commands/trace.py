import typer

from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import TraceOptions, takes


@takes(TraceOptions)
def trace(options: TraceOptions, form: Format = TABLE) -> None:
    """Capture and draw a single fetch. Write the packets of both ends, the TLS keys, two figures and a page."""
    from pqbed_cli.render.trace import print_trace
    from pqbed_cli.workflows import trace as workflow

    result = workflow.trace(options)
    print_trace(result, form)
    raise typer.Exit(result.exit_code)
