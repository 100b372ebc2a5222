from pqbed_cli.options import Json


def status(json_output: Json = False) -> None:
    """Say which bed is up, and with which link and profiles."""
    from pqbed.beds.session import find_session
    from pqbed.spec.codec import to_json
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.session import print_session

    session = find_session()
    if json_output:
        print_json(to_json(session))
    elif session is None:
        say("no bed is up; `pqbed up` brings one up")
    else:
        print_session(session)
