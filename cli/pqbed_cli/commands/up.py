from pqbed_cli.flags import Json
from pqbed_cli.options import UpOptions, takes


@takes(UpOptions)
def up(options: UpOptions, json_output: Json = False) -> None:
    """Start a bed for `link` and `fetch`. Build what it needs, open a lane, set the link and read it back."""
    from pqbed_cli.render.session import print_up
    from pqbed_cli.workflows import session

    print_up(*session.up(options), json_output=json_output)
