import typer

from pqbed_cli.exits import HOST_UNFIT
from pqbed_cli.flags import TABLE, Format


def status(form: Format = TABLE) -> None:
    """Show which bed is up, its link and profiles."""
    from pqbed_cli.render.up_session import print_status
    from pqbed_cli.workflows import up_session

    result = up_session.status()
    print_status(result, form)
    if result.gone:
        raise typer.Exit(HOST_UNFIT)
