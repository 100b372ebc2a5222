import typer

from pqbed_cli.exits import HOST_UNFIT
from pqbed_cli.flags import Json


def status(json_output: Json = False) -> None:
    """Show which bed is up, its link and profiles."""
    from pqbed_cli.render.up_session import print_status
    from pqbed_cli.workflows import up_session

    result = up_session.status()
    print_status(result, json_output=json_output)
    if result.gone:
        raise typer.Exit(HOST_UNFIT)
