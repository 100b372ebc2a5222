import typer

from pqbed_cli.exits import HOST_UNFIT
from pqbed_cli.options import Json


def doctor(json_output: Json = False) -> None:
    """Say what this host can do, and the cure for what it cannot."""
    from pqbed.doctor import examine_host
    from pqbed.spec.codec import to_json
    from pqbed_cli.render.diagnosis import print_diagnosis
    from pqbed_cli.render.output import print_json

    diagnosis = examine_host()
    if json_output:
        print_json(to_json(diagnosis))
    else:
        print_diagnosis(diagnosis)
    if diagnosis.auto is None:
        raise typer.Exit(HOST_UNFIT)
