import typer

from pqbed_cli.flags import TABLE, Format, Json, StackName
from pqbed_cli.help_groups import GroupedCommand
from pqbed_cli.options import AddStackOptions, takes

stack = typer.Typer(
    help="Add, list or remove TLS stacks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@stack.command("add", cls=GroupedCommand)
@takes(AddStackOptions)
def add_stack(options: AddStackOptions, json_output: Json = False) -> None:
    """Check a provider module and keep a copy. It can then be named with --stack on every bed."""
    from pqbed_cli.render.stacks import print_added
    from pqbed_cli.workflows import user_stacks as stacks

    print_added(stacks.add_stack(options), json_output=json_output)


@stack.command("list", cls=GroupedCommand)
def list_stacks(form: Format = TABLE) -> None:
    """List the stacks: pqbed's own, then those that were added."""
    from pqbed_cli.render.stacks import print_stacks
    from pqbed_cli.workflows import user_stacks as stacks

    print_stacks(stacks.list_stacks(), form)


@stack.command("remove", cls=GroupedCommand)
def remove_stack(name: StackName) -> None:
    """Remove a stack that was added, and its files."""
    from pqbed_cli.render.streams import note
    from pqbed_cli.workflows import user_stacks as stacks

    note(f"removed the stack {stacks.remove_stack(name).name}")
