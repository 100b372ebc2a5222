"""Stacks that users add, list and remove."""

from pathlib import Path

from pqbed.artefacts.user_stacks import StackFiles, read_stack_files, remove_added
from pqbed.beds.add_user_stack import AddedStack
from pqbed.beds.add_user_stack import add_stack as add_files
from pqbed.errors import SpecError
from pqbed.spec.stacks import Stack, known_stacks
from pqbed_cli.options import AddStackOptions

HINT = "pqbed stack add NAME --module PROVIDER.so --library LIBRARY.so, or pqbed stack add NAME FOLDER"


def add_stack(options: AddStackOptions) -> AddedStack:
    """Add the stack of the files typed, or of a folder with a stack.toml. Raises SpecError, HostError."""
    files = _files(options)
    if not files.modules:
        raise SpecError("a stack is added from a provider module, and --module names none", HINT)
    return add_files(options.name, files)


def list_stacks() -> tuple[Stack, ...]:
    """Return all stacks, those that were added last."""
    return tuple(sorted(known_stacks().values(), key=lambda stack: (bool(stack.hash), stack.name)))


def remove_stack(name: str) -> Stack:
    """Remove an added stack and return what it was. Raises SpecError if none of this name was added."""
    return remove_added(name)


def _files(options: AddStackOptions) -> StackFiles:
    if options.folder is None:
        return StackFiles(
            modules=tuple(options.module or ()),
            libraries=tuple(options.library or ()),
            configuration=options.configuration,
        )
    if options.module or options.library or options.configuration:
        raise SpecError("--module, --library and --conf do not go with a folder", "name the files in its stack.toml")
    return read_stack_files(Path(options.folder))
