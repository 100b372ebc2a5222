"""Root file system of the uml bed: a folder with the same programs as the image of the stack."""

import itertools
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pqbed.artefacts.agent_source import SOURCES
from pqbed.artefacts.build_steps import Command, OnStep, run_commands
from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.artefacts.debian_bootstrap import UNREAD, BuilderWork, bootstrap, copy_in, copy_out, in_root
from pqbed.artefacts.image_sources import SUITE, backports_script, read_packages, recipe_folder
from pqbed.artefacts.root_programs import compile_modules
from pqbed.artefacts.root_stacks import configure_hooks, extra_packages, extra_stacks, extra_stacks_hash, move_stacks
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.stacks import ADDED, builtin_stacks
from pqbed.user_folders import cache_home

SCRIPTS = ("packages-build.txt", "packages-run.txt", "wheels.txt", "build-client.sh", "fewer_calls.c", "settle.sh")
VENDOR = "opt/pqbed/vendor"
# Increased when this module changes what it does to a root, so that cached ones are not used.
FORMAT = "root/3"
# Lanes mount a file system of their own over the first ones; the last ones receive the agent's source and added
# stacks, each checked by itself.
CHANGING = ("dev", "proc", "sys", "tmp", "run", "var/log", SOURCES, ADDED.lstrip("/"))


def root_entry(stacks: Iterable[str] = ()) -> Path:
    """The cache entry of the root of the current recipe, with extra `stacks`."""
    folder = recipe_folder(DEFAULT_STACK)
    base = hash_inputs(FORMAT, SUITE, *UNREAD, backports_script(), *(folder / name for name in SCRIPTS))
    return cache_home() / "roots" / extra_stacks_hash(base, stacks)


def fitting_root(stacks: Iterable[str] = ()) -> Path:
    """The cache entry for `stacks`: their own, or if it is not built yet, the smallest built one with more stacks."""
    wanted = set(extra_stacks(stacks))
    own = root_entry(wanted)
    if own.exists() or not wanted:
        return own
    more = (wanted | set(chosen) for chosen in stack_choices() if not wanted.issuperset(chosen))
    return next((entry for chosen in more if (entry := root_entry(chosen)).exists()), own)


def stack_choices() -> Iterator[tuple[str, ...]]:
    """Yield every set of extra stacks that a root may have, the smallest first."""
    extra = sorted(builtin_stacks().keys() - {DEFAULT_STACK})
    for count in range(len(extra) + 1):
        yield from itertools.combinations(extra, count)


def vendor_packages() -> tuple[str, ...]:
    """Packages that the builder root needs for pycurl."""
    return read_packages(recipe_folder(DEFAULT_STACK) / "packages-build.txt")


def vendor_work(wheels: Path, target: Path) -> BuilderWork:
    """What the builder root does to put a folder `vendor` into the host's folder `target`."""
    sources = [recipe_folder(DEFAULT_STACK) / name for name in ("build-client.sh", "fewer_calls.c")]
    return BuilderWork(
        before=[
            'mkdir -p "$1/build/vendor" "$1/build/wheels" "$1/build/out"',
            copy_in("/build/vendor", *sources),
            copy_in("/build/wheels", *sorted(wheels.iterdir())),
        ],
        script=("/build/vendor/build-client.sh", "/build/wheels", "/build/out/vendor"),
        after=[copy_out("/build/out/vendor", target)],
    )


def system_command(tar: Path, ca_bundle: Path | None, stacks: Iterable[str] = ()) -> Command:
    """The mmdebstrap run for the root's programs, as a tar."""
    folder = recipe_folder(DEFAULT_STACK)
    hooks = [
        *configure_hooks(stacks),
        'mkdir -p "$1/build"',
        copy_in("/build", folder / "settle.sh"),
        in_root("/build/settle.sh"),
        'rm -r "$1/build"',
    ]
    packages = sorted({*read_packages(folder / "packages-run.txt"), *extra_packages(stacks, "run")})
    return bootstrap(
        "root file system", variant="essential", packages=packages, output=tar, hooks=hooks, ca_bundle=ca_bundle
    )


def assemble_root(partial: Path, tar: Path, built: Path, on_step: OnStep) -> None:
    """Unpack the programs into `partial` and add what was `built` elsewhere. Consumes both."""
    # Everything is owned by the user of pqbed, who is the guest's root through hostfs.
    argv = ["tar", "-x", "-f", str(tar), "-C", str(partial), "--no-same-owner", "--exclude=./dev/*"]
    run_commands([Command(name="unpacking", argv=argv)], on_step)
    tar.unlink()
    (partial / "dev").mkdir(exist_ok=True)
    (partial / VENDOR).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built / "vendor", partial / VENDOR)
    compile_modules(partial, partial / VENDOR, f"/{VENDOR}")
    (partial / SOURCES).mkdir()
    (partial / ADDED.lstrip("/")).mkdir()
    move_stacks(partial, built / "stacks")
    (partial / "etc/hostname").write_text("pqbed\n", encoding="ascii")
    for left in ("etc/resolv.conf", "etc/apt/apt.conf.d/99mmdebstrap"):
        (partial / left).unlink(missing_ok=True)


def changing_folders() -> tuple[str, ...]:
    """Return the folders of a root whose contents are not part of it."""
    return (*CHANGING, *(target.lstrip("/") for stack in builtin_stacks().values() for target in stack.tmpfs))


def root_hash(entry: Path) -> str:
    """Hash the recipe of a root and the exact versions of its packages."""
    return hash_inputs(entry.name, entry / "var/lib/dpkg/status")
