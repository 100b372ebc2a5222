"""Stacks as a table, and what `stack add` found in the files."""

from collections.abc import Sequence

from pqbed.beds.add_user_stack import AddedStack
from pqbed.spec.json_codec import to_json
from pqbed.spec.stacks import Stack
from pqbed_cli.flags import Form
from pqbed_cli.render.streams import echo, print_json
from pqbed_cli.render.table import Table, print_tables


def print_added(added: AddedStack, *, json_output: bool) -> None:
    if json_output:
        print_json({**to_json(added.stack), "providers": list(added.providers), "version": added.version})
        return
    echo(f"added the stack {added.stack.name} ({added.stack.hash}): {added.version} loads {_list(added.providers)}")
    echo(f"measure it with: pqbed sweep --stack {added.stack.name}")


def print_stacks(stacks: Sequence[Stack], form: Form) -> None:
    if form == "json":
        print_json([to_json(stack) for stack in stacks])
        return
    rows = tuple((stack.name, stack.title, stack.hash or "-") for stack in stacks)
    print_tables([Table(columns=("stack", "software", "added"), rows=rows)], form)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
