import typer

from pqbed_cli.flags import TABLE, Format, Measure
from pqbed_cli.help_groups import GroupedCommand
from pqbed_cli.options import SetLinkOptions, takes

link = typer.Typer(help="Show or set the link of the bed that is up.", no_args_is_help=True, rich_markup_mode=None)


@link.command("show", cls=GroupedCommand)
def show_link(measure: Measure = False, form: Format = TABLE) -> None:
    """Read the link back from the kernel. With --measure, verify it by measurement."""
    from pqbed_cli.render.up_session import print_link
    from pqbed_cli.workflows import up_session

    reading = up_session.read_link(measure=measure)
    print_link(reading.state, reading.measured, form)
    raise typer.Exit(reading.exit_code)


@link.command("set", cls=GroupedCommand)
@takes(SetLinkOptions)
def set_link(options: SetLinkOptions, form: Format = TABLE) -> None:
    """Set the link and read it back. What is not given keeps its value."""
    from pqbed_cli.render.up_session import print_link
    from pqbed_cli.workflows import up_session

    print_link(up_session.set_link(options), None, form)
