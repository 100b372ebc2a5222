"""Extra stacks of a root, in addition to the default one: their packages and build scripts.

Added stacks (added_stacks.py) are not part of this: their files are put into a built root.

A stack's folder may hold `packages-build.txt`, `wheels.txt` and `build.sh OUT`, which run in the builder root, and
`packages-run.txt` and `configure.sh OUT`, which run in the root itself; OUT is /opt/pqbed/stacks/NAME.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.artefacts.debian_bootstrap import copy_in, copy_out, in_root
from pqbed.artefacts.image_sources import read_packages, recipe_folder
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.stacks import ENTRY, HOME, stack_named

BUILD, CONFIGURE = "build.sh", "configure.sh"
# Scripts that all stacks share, and their folders.
SHARED = {"install.sh": DEFAULT_STACK, "settle.sh": DEFAULT_STACK, "add-backports.sh": "uml"}


def extra_stacks(stacks: Iterable[str]) -> tuple[str, ...]:
    """Return the extra stacks among `stacks` and those that they extend, each once, sorted."""
    names = set(stacks)
    while below := {extends for name in names if (extends := stack_named(name).extends)} - names:
        names |= below
    return tuple(sorted(name for name in names if name != DEFAULT_STACK and not stack_named(name).hash))


def extra_stacks_hash(base: str, stacks: Iterable[str]) -> str:
    """Return the hash of `base` with extra `stacks`: `base` itself without any."""
    named: list[str | Path] = []
    for name in extra_stacks(stacks):
        named += [name, *_files(recipe_folder(name))]
    return hash_inputs(base, *named) if named else base


def shared_script(name: str) -> Path:
    """Return a script that all stacks share."""
    return recipe_folder(SHARED[name]) / name


def extra_packages(stacks: Iterable[str], kind: str) -> tuple[str, ...]:
    """Return the packages of kind `build` or `run`."""
    lists = [recipe_folder(name) / f"packages-{kind}.txt" for name in extra_stacks(stacks)]
    return tuple(sorted({package for path in lists if path.exists() for package in read_packages(path)}))


def build_hooks(stacks: Iterable[str], target: Path, wheels: Mapping[str, Path]) -> list[str]:
    """Hooks of the builder root that build a folder `stacks` in the host's folder `target`, if any stack builds.

    `wheels` are the folders of those stacks that have Python packages.
    """
    built = [name for name in extra_stacks(stacks) if (recipe_folder(name) / BUILD).exists()]
    hooks = ['mkdir -p "$1/build/stacks" "$1/build/out/stacks"'] if built else []
    for name in built:
        hooks.append(copy_in("/build/stacks", recipe_folder(name)))
        hooks.append(copy_in(f"/build/stacks/{name}", shared_script("add-backports.sh")))
        if name in wheels:
            place = f"/build/stacks/{name}/wheels"
            hooks += [f'mkdir -p "$1{place}"', copy_in(place, *sorted(wheels[name].iterdir()))]
        hooks.append(in_root(f"/build/stacks/{name}/{BUILD}", f"/build/out/stacks/{name}"))
    return [*hooks, copy_out("/build/out/stacks", target)] if built else []


def configure_hooks(stacks: Iterable[str]) -> list[str]:
    """Hooks of the root itself."""
    hooks = []
    for name in extra_stacks(stacks):
        if (recipe_folder(name) / CONFIGURE).exists():
            hooks.append('mkdir -p "$1/build"')
            hooks.append(copy_in("/build", recipe_folder(name)))
            hooks.append(in_root(f"/build/{name}/{CONFIGURE}", f"{HOME}/{name}"))
            hooks.append('rm -r "$1/build"')
    return hooks


def stacks_with_wheels(stacks: Iterable[str]) -> tuple[str, ...]:
    """Return the extra stacks that need Python packages of their own."""
    return tuple(name for name in extra_stacks(stacks) if (recipe_folder(name) / "wheels.txt").exists())


def move_stacks(root: Path, built: Path) -> None:
    """Move the built stacks into `root`."""
    for folder in sorted(built.iterdir()) if built.exists() else ():
        place = root / HOME.lstrip("/") / folder.name
        place.mkdir(parents=True, exist_ok=True)
        for item in folder.iterdir():
            item.rename(place / item.name)


def _files(folder: Path) -> Sequence[Path]:
    """Return the files that affect a root: not the entry, which belongs to the agent's source, nor the Dockerfile."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in (ENTRY, "Dockerfile")]
