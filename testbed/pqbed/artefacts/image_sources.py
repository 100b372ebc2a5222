"""Image sources: the folder `images/` of the source tree, or its copy in the wheel."""

from pathlib import Path

import pqbed
from pqbed.errors import BuildError
from pqbed.spec.stacks import ENTRY, added_stacks_home, builtin_stacks

SUITE = "trixie"
DOCKER_BASE = "debian:trixie-slim"
PACKAGE = Path(pqbed.__file__).parent


def recipe_folder(stack: str) -> Path:
    """The folder of one stack (`openssl`), of the guest kernel (`uml`) or shared by added stacks (`module`)."""
    for images in (PACKAGE / "_images", PACKAGE.parents[1] / "images", added_stacks_home()):
        if (images / stack).is_dir():
            return images / stack
    raise BuildError(f"no recipe for {stack} beside {PACKAGE}", hint="reinstall pqbed: its folder images/ is missing")


def backports_script() -> Path:
    """The script that lets apt in a root see the backports of its suite."""
    return recipe_folder("uml") / "add-backports.sh"


def stack_entries() -> dict[str, Path]:
    """The entry of data of each of pqbed's own stacks, by its name."""
    return {name: recipe_folder(name) / ENTRY for name in builtin_stacks()}


def read_packages(path: Path) -> tuple[str, ...]:
    """Names of Debian packages, one per line."""
    return tuple(path.read_text(encoding="ascii").split())
