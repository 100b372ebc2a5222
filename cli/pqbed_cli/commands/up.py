from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import UpOptions, takes


@takes(UpOptions)
def up(options: UpOptions, form: Format = TABLE) -> None:
    """Start a bed for `link` and `fetch`. Build what it needs, open a lane, set the link and read it back."""
    from pqbed_cli.render.up_session import print_up
    from pqbed_cli.workflows import up_session

    print_up(*up_session.up(options), form)
