import typer

from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import FetchOptions, takes


@takes(FetchOptions)
def fetch(options: FetchOptions, form: Format = TABLE) -> None:
    """Fetch over the link of the bed that is up. Print when each step of the connection was done."""
    from pqbed_cli.render.up_session import print_fetches
    from pqbed_cli.workflows import up_session

    arms = up_session.fetch(options)
    print_fetches(arms, form)
    if any(arm.failed for arm in arms):
        raise typer.Exit(SOME_FAILED)
