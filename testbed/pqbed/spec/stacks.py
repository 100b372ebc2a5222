"""Stacks as data: `images/NAME/stack.toml`, one a stack, and those that users added (docs/reference/stacks.md).

The entries of `images/` travel with the agent's source, an added one with its stack's files, so that both sides of a
bed read the same entry.
"""

import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pqbed.spec.connection import ConnectionKind
from pqbed.spec.json_codec import from_json
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.workload import Http
from pqbed.user_folders import data_home

ENTRY = "stack.toml"
# What a stack's ends take of the groups of a profile: several that its client offers, and the key shares that it sends;
# several that its server accepts, and some of them before any that has a share.
GroupChoice = Literal["offered", "shares", "accepted", "preferred"]
# What else may be asked of both ends: a stapled OCSP response (RFC 6066 8), ALPN over HTTP/1.1, TCP Fast Open.
StackExtension = Literal["status_request", "alpn", "fast_open"]
# Where the files of a stack lie in its image, or in a guest's root.
HOME = "/opt/pqbed/stacks"
# And those of an added one: apart from what a root was built of, so that they can be put into it later.
ADDED = "/opt/pqbed/added"
_PACKAGE = Path(__file__).parents[1]
# Beside the agent's source in guests and images, in the wheel, in the source tree.
_FOLDERS = (_PACKAGE / "_stacks", _PACKAGE / "_images", _PACKAGE.parents[1] / "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack. `server` and `client` name the drivers (tls/server_drivers.py, fetch/client_drivers.py).

    `program`: what the driver `program` runs. `environment`: of whatever of the stack runs. `extends`: the stack whose
    image it is built on, "" none. `tmpfs`: folders of a root that it writes to. Of an added stack, `module` and
    `library` name its files and `hash` is that of all of them. `connections`: the kinds that both its ends do;
    `groups`: what may be said of groups, besides the one that is to be negotiated; `http`: the versions; `extensions`:
    what else may be asked of both ends.
    """

    name: str
    title: str
    server: str
    client: str
    program: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    extends: str = ""
    tmpfs: tuple[str, ...] = ()
    module: tuple[str, ...] = ()
    library: tuple[str, ...] = ()
    connections: tuple[ConnectionKind, ...] = ("full",)
    groups: tuple[GroupChoice, ...] = ()
    http: tuple[Http, ...] = ("1.1",)
    extensions: tuple[StackExtension, ...] = ()
    hash: str = ""


def stack_named(name: str) -> Stack:
    """Return the stack `name`. Raises SpecError where there is none."""
    known = known_stacks()
    return known[known_name(name, known, "stack")]


def known_stacks() -> dict[str, Stack]:
    """Return all stacks by name: pqbed's own, those that this user added, and those added to this root or image."""
    return builtin_stacks() | _stacks_in(Path(ADDED)) | _stacks_in(added_stacks_home())


def added_stacks_home() -> Path:
    """Return the folder of the stacks that this user added, each in a folder of its name."""
    return data_home() / "stacks"


def _stacks_in(folder: Path) -> dict[str, Stack]:
    names = builtin_stacks()
    entries = sorted(folder.glob(f"*/{ENTRY}"))
    return {path.parent.name: read_stack(path) for path in entries if path.parent.name not in names}


@functools.cache
def builtin_stacks() -> dict[str, Stack]:
    """Return pqbed's own stacks by name."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return {path.parent.name: read_stack(path) for path in sorted(folder.glob(f"*/{ENTRY}"))}


def read_stack(path: Path) -> Stack:
    """Return the stack whose entry is `path`; its folder gives the name."""
    return from_json(Stack, {"name": path.parent.name, **tomllib.loads(path.read_text(encoding="utf-8"))})
