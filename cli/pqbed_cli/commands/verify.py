import typer

from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.flags import Json
from pqbed_cli.options import VerifyOptions, takes


@takes(VerifyOptions)
def verify(options: VerifyOptions, json_output: Json = False) -> None:
    """Check that a run is whole. Files, plan, samples, floors and calibration; one line per check."""
    from pqbed_cli.render.verify import print_checks
    from pqbed_cli.workflows import verify as workflow

    if not print_checks(workflow.verify(options), json_output=json_output):
        raise typer.Exit(SOME_FAILED)
