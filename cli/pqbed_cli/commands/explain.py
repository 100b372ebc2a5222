from typing import Annotated

import typer

from pqbed_cli import options


@options.takes(options.axis_options())
def explain(
    context: typer.Context,
    run: options.RunPath,
    cell: Annotated[
        str | None, typer.Argument(metavar="[CELL]", help="The id of one cell, or how it begins. [default: all]")
    ] = None,
    profile: options.Profiles = None,
    baseline: options.Baseline = None,
    out: options.RunsFolder = "results",
    json_output: options.Json = False,
) -> None:
    """Say why a profile costs what it costs: bytes, round trips and windows, beside what was measured."""
    from pqbed.store.run import open_run
    from pqbed_cli.explaining import explain_run, print_explained
    from pqbed_cli.runs import find_run

    with open_run(find_run(run, out)) as opened:
        explained = explain_run(opened, context.params)
        code = print_explained(opened.path, explained, json_output=json_output)
    raise typer.Exit(code)
