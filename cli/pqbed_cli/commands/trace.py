from typing import Annotated

import typer

from pqbed_cli.options import AXES, EACH_FETCH, PLACE, START, CaBundle, Json, takes


@takes(AXES, EACH_FETCH, PLACE, START)
def trace(
    context: typer.Context,
    repetition: Annotated[
        str, typer.Option(metavar="N", help="Of a sweep with the same seed, the sample to fetch again; the first is 0.")
    ] = "0",
    ca_bundle: CaBundle = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json_output: Json = False,
) -> None:
    """Fetch once, capture it at both ends with its keys, and draw it: packet files, two pictures, one page."""
    from pqbed_cli.workflows.trace import start_trace

    raise typer.Exit(start_trace(context.params))
