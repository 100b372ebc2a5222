"""Guest kernel of the uml bed: an ordinary program, built from Debian's kernel source package."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.artefacts.debian_bootstrap import copy_in, copy_out, in_root
from pqbed.artefacts.folder_integrity import seal
from pqbed.artefacts.image_sources import SUITE, read_packages, recipe_folder
from pqbed.user_folders import cache_home

FRAGMENTS = ("kernel.config",)
SCRIPTS = ("packages-build.txt", "add-backports.sh", "build-kernel.sh")
FILES = ("linux", "config", "version")
PRINTED_LINES = {"kernel": 1330}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A built kernel: the program, the hash of its bytes, and which release of which package it is."""

    path: Path
    hash: str
    version: str


def kernel_entry(fragments: Sequence[str] = FRAGMENTS) -> Path:
    """The cache entry of the kernel of the current recipe and these configuration fragments."""
    folder = recipe_folder("uml")
    return cache_home() / "kernels" / hash_inputs(SUITE, *(folder / name for name in (*SCRIPTS, *fragments)))


def kernel_packages() -> tuple[str, ...]:
    """What the builder root needs for it."""
    return read_packages(recipe_folder("uml") / "packages-build.txt")


def kernel_hooks(target: Path, fragments: Sequence[str] = FRAGMENTS) -> list[str]:
    """Hooks of the builder root that put linux, config and version into the host's folder `target`."""
    folder = recipe_folder("uml")
    return [
        'mkdir -p "$1/build/uml" "$1/build/out"',
        copy_in("/build/uml", *(folder / name for name in (*SCRIPTS, *fragments))),
        in_root("/build/uml/add-backports.sh"),
        in_root("/build/uml/build-kernel.sh", "/build/out/kernel", *(f"/build/uml/{name}" for name in fragments)),
        *(copy_out(f"/build/out/kernel/{name}", target) for name in FILES),
    ]


def adopt_kernel(entry: Path) -> None:
    """List the contents of a kernel that an older pqbed built, as they are; its runs name the hash of its bytes."""
    if is_unlisted(entry):
        seal(entry)


def is_unlisted(entry: Path) -> bool:
    """Return whether this is a whole kernel without a list of its contents, as an older pqbed built it."""
    return entry.is_dir() and {path.name for path in entry.iterdir()} == set(FILES)


def read_kernel(entry: Path) -> Kernel:
    """Describe the kernel in a cache entry."""
    path = entry / "linux"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Kernel(path=path, hash=digest[:16], version=(entry / "version").read_text(encoding="ascii").strip())
