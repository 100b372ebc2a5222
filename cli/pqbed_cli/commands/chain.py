import typer

from pqbed_cli.flags import TABLE, ChainFile, ChainProfile, Format
from pqbed_cli.help_groups import GroupedCommand

chain = typer.Typer(help="Read certificate chains.", no_args_is_help=True, rich_markup_mode=None)


@chain.command("show", cls=GroupedCommand)
def show_chain(file: ChainFile, profile: ChainProfile = None, form: Format = TABLE) -> None:
    """Print the sizes of a chain, today and in ML-DSA. FILE holds it in PEM, the leaf first."""
    from pqbed.tls.certificate_shape import read_shapes
    from pqbed_cli.render.chain import print_chain, print_profiles

    shapes = read_shapes(file)
    if profile is not None:
        print_profiles(shapes, profile)
        return
    print_chain(shapes, form)
