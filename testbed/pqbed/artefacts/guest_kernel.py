"""Guest kernel of the uml bed: an ordinary program, built from Debian's kernel source package."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.artefacts.debian_bootstrap import BuilderWork, copy_in, copy_out, in_root
from pqbed.artefacts.folder_integrity import seal
from pqbed.artefacts.image_sources import SUITE, read_packages, recipe_folder
from pqbed.errors import BuildError
from pqbed.spec.guest_kernels import DEFAULT_KERNEL, series_of
from pqbed.user_folders import cache_home

FRAGMENTS = ("kernel.config",)
SCRIPTS = ("packages-build.txt", "add-backports.sh", "build-kernel.sh")
# Only for a series that is named: the default one is built without it.
LINK_OLDER = "link-older.sh"
FILES = ("linux", "config", "version")
PRINTED_LINES = {"kernel": 1210}
# What build-kernel.sh calls the series that is taken if none is named.
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A built kernel: the program, the hash of its bytes, and which release of which package it is."""

    path: Path
    hash: str
    version: str


def kernel_entry(fragments: Sequence[str] = FRAGMENTS, series: str | None = None) -> Path:
    """The cache entry of the kernel of the current recipe, these configuration fragments and this series."""
    folder = recipe_folder("uml")
    files = (folder / name for name in (*SCRIPTS, *fragments))
    return cache_home() / "kernels" / hash_inputs(SUITE, *files, *series_inputs(series))


def series_inputs(series: str | None) -> tuple[str | Path, ...]:
    """What a series adds to the inputs of a hash: nothing, if it is the one that is taken anyway."""
    recipe = recipe_series(series)
    return () if recipe == DEFAULT else (recipe, recipe_folder("uml") / LINK_OLDER)


def recipe_series(series: str | None) -> str:
    """Return the series as build-kernel.sh takes it."""
    return DEFAULT if series is None or series == DEFAULT_KERNEL else series


def built_kernels() -> Iterator[tuple[Path, str]]:
    """Yield the entries of the current recipe in the cache, of whatever series, with the release of each."""
    for path in sorted((cache_home() / "kernels").glob("*/version")):
        release, entry = path.read_text(encoding="ascii", errors="replace").partition(" ")[0], path.parent
        if entry in {kernel_entry(), kernel_entry(series=series_of(release))}:
            yield entry, release.strip()


def kernel_packages() -> tuple[str, ...]:
    """What the builder root needs for it."""
    return read_packages(recipe_folder("uml") / "packages-build.txt")


def kernel_work(target: Path, fragments: Sequence[str] = FRAGMENTS, series: str | None = None) -> BuilderWork:
    """What the builder root does to put linux, config and version into the host's folder `target`."""
    folder = recipe_folder("uml")
    out, files = "/build/out/kernel", (f"/build/uml/{name}" for name in fragments)
    older = () if recipe_series(series) == DEFAULT else (LINK_OLDER,)
    return BuilderWork(
        before=[
            'mkdir -p "$1/build/uml" "$1/build/out"',
            copy_in("/build/uml", *(folder / name for name in (*SCRIPTS, *older, *fragments))),
            in_root("/build/uml/add-backports.sh"),
            *(in_root(f"/build/uml/{name}", "/build/uml/build-kernel.sh") for name in older),
        ],
        script=("/build/uml/build-kernel.sh", out, recipe_series(series), *files),
        after=[copy_out(f"{out}/{name}", target) for name in FILES],
    )


def adopt_kernel(entry: Path) -> None:
    """List the contents of a kernel that an older pqbed built, as they are; its runs name the hash of its bytes."""
    if is_unlisted(entry):
        seal(entry)


def is_unlisted(entry: Path) -> bool:
    """Return whether this is a whole kernel without a list of its contents, as an older pqbed built it."""
    return entry.is_dir() and {path.name for path in entry.iterdir()} == set(FILES)


def read_kernel(entry: Path, series: str | None = None) -> Kernel:
    """Describe the kernel in a cache entry. Raises BuildError if it is of a series other than the one asked for."""
    path = entry / "linux"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    version = (entry / "version").read_text(encoding="ascii").strip()
    if series not in {None, series_of(version)}:  # the default one had left Debian's archive when it was built
        raise BuildError(f"kernel {series} cannot be had: {version} was built in its place", "leave --kernel out")
    return Kernel(path=path, hash=digest[:16], version=version)
