import typer

from pqbed_cli.flags import Json
from pqbed_cli.options import CheckOptions, takes


@takes(CheckOptions)
def check(options: CheckOptions, json_output: Json = False) -> None:
    """Hold thresholds against a run. Exit with 5 if one is not kept, as a CI job needs it."""
    from pqbed_cli.render.gate import print_gate
    from pqbed_cli.workflows import gate as workflow

    gate = workflow.check(options)
    print_gate(gate, json_output=json_output)
    raise typer.Exit(gate.exit_code)
