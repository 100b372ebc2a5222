import typer

from pqbed_cli.exits import HOST_UNFIT
from pqbed_cli.options import Json


def status(json_output: Json = False) -> None:
    """Say which bed is up, and with which link and profiles."""
    from pqbed.beds.session import find_session, why_lost
    from pqbed.spec.codec import to_json
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.session import print_session

    session = find_session()
    gone = "" if session is None else why_lost(session)
    if json_output:
        print_json(None if session is None else {**to_json(session), "gone": gone})
    elif session is None:
        say("no bed is up; `pqbed up` brings one up")
    else:
        print_session(session)
    if gone:
        say(f"gone: {gone}; `pqbed up` brings it up again", json_output=json_output)
        raise typer.Exit(HOST_UNFIT)
