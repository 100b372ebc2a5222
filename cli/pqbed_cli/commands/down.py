from pqbed_cli.flags import BedName, Json


def down(bed: BedName = None, json_output: Json = False) -> None:
    """Stop the bed that is up. Remove everything pqbed started, and nothing else; can be repeated."""
    from pqbed_cli.render.session import print_removed
    from pqbed_cli.workflows import session

    print_removed(session.down(bed), json_output=json_output)
