"""Stacks as data: `images/NAME/stack.toml`, one a stack (docs/reference/stacks.md).

The files travel with the agent's source, so that both sides of a bed read the same entry.
"""

import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pqbed.spec.codec import from_json
from pqbed.spec.names import known_name

ENTRY = "stack.toml"
# Where the files of a stack lie in its image, or in a guest's root.
HOME = "/opt/pqbed/stacks"
_PACKAGE = Path(__file__).parents[1]
# Beside the agent's source in guests and images, in the wheel, in the source tree.
_FOLDERS = (_PACKAGE / "_stacks", _PACKAGE / "_images", _PACKAGE.parents[1] / "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack. `server` and `client` name the drivers (tls/server_drivers.py, fetch/drivers.py).

    `program`: what the driver `program` runs. `environment`: of whatever of the stack runs. `extends`: the stack whose
    image it is built on, "" none; `base`: the image it is built on where that is not Debian's. `tmpfs`: folders of a
    root that it writes to.
    """

    name: str
    title: str
    server: str
    client: str
    program: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    extends: str = ""
    base: str = ""
    tmpfs: tuple[str, ...] = ()


def stack_named(name: str) -> Stack:
    """Return the stack `name`. Raises SpecError where there is none."""
    return known_stacks()[known_name(name, known_stacks(), "stack")]


@functools.cache
def known_stacks() -> dict[str, Stack]:
    """Return all stacks by name."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return {path.parent.name: read_stack(path) for path in sorted(folder.glob(f"*/{ENTRY}"))}


def read_stack(path: Path) -> Stack:
    """Return the stack whose entry is `path`; its folder gives the name."""
    return from_json(Stack, {"name": path.parent.name, **tomllib.loads(path.read_text(encoding="utf-8"))})
