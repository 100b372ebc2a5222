import typer

from pqbed_cli.flags import BedName, EveryOwner, Images, Json, Yes


def down(
    bed: BedName = None,
    all_owners: EveryOwner = False,
    yes: Yes = False,
    images: Images = False,
    json_output: Json = False,
) -> None:
    """Stop the bed that is up. Remove everything you started with pqbed, and nothing else; can be repeated."""
    from pqbed_cli.render.up_session import print_owners, print_removed
    from pqbed_cli.workflows import up_session

    if all_owners and not yes:
        owners = up_session.things_by_owner()
        print_owners(owners)
        if owners and not typer.confirm("remove all of this?", err=True):
            raise typer.Exit(1)
    print_removed(up_session.down(bed, everyone=all_owners, images=images), json_output=json_output)
