"""Kernel and root file system of the uml bed: found in the cache, or built, both in one go."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pqbed.artefacts.agent_source import source_folder
from pqbed.artefacts.agent_wheels import fetch_wheels
from pqbed.artefacts.build_steps import Command, OnStep, no_progress, run_commands
from pqbed.artefacts.cache_entries import building, require_space
from pqbed.artefacts.debian_bootstrap import BuilderWork, bootstrap, build_folder, require_bootstrap, work_hooks
from pqbed.artefacts.folder_integrity import find_damage
from pqbed.artefacts.guest_kernel import (
    FRAGMENTS,
    PRINTED_LINES,
    Kernel,
    adopt_kernel,
    built_kernels,
    is_unlisted,
    kernel_entry,
    kernel_packages,
    kernel_work,
    read_kernel,
)
from pqbed.artefacts.root_stacks import build_hooks, extra_packages, stacks_with_wheels
from pqbed.artefacts.trusted_certificates import trusted_bundle
from pqbed.artefacts.uml_rootfs import (
    assemble_root,
    changing_folders,
    fitting_root,
    root_entry,
    root_hash,
    stack_choices,
    system_command,
    vendor_packages,
    vendor_work,
)
from pqbed.owned_folders import owned_folder
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.user_folders import cache_home

MIB = 1 << 20
BUILD_BYTES = 4000 * MIB
CACHE_BYTES = 600 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlArtefacts:
    """Kernel and root of a guest. The hashes are of contents: kernel bytes, root recipe and package versions."""

    kernel: Path
    kernel_hash: str
    kernel_version: str
    root: Path
    root_hash: str


def prepare_uml(
    on_step: OnStep = no_progress,
    ca_bundle: Path | None = None,
    stacks: Iterable[str] = (),
    series: str | None = None,
) -> UmlArtefacts:
    """Return the kernel and the root, built first if the cache lacks them (minutes, once per recipe).

    `stacks` are in the root in addition to the default one; `series` is that of the kernel, None the default one.
    `ca_bundle` is a PEM file that pip and apt trust in addition to the system's certificates. Raises HostError if this
    host cannot build them, BuildError if a step fails or Debian has no such kernel.
    """
    kernel_path, root_path = kernel_entry(series=series), fitting_root(stacks)
    adopt_kernel(kernel_path)
    _build_missing(_Missing(kernel_path, root_path, stacks=tuple(stacks), series=series), on_step, ca_bundle)
    kernel = read_kernel(kernel_path, series)
    return UmlArtefacts(
        kernel=kernel.path,
        kernel_hash=kernel.hash,
        kernel_version=kernel.version,
        root=root_path,
        root_hash=root_hash(root_path),
    )


def prepare_root(on_step: OnStep = no_progress, ca_bundle: Path | None = None, stacks: Iterable[str] = ()) -> Path:
    """Return the root, built first if the cache lacks it. Raises as prepare_uml does."""
    root_path = fitting_root(stacks)
    _build_missing(_Missing(None, root_path, stacks=tuple(stacks)), on_step, ca_bundle)
    return root_path


def prepare_kernel(
    fragments: Sequence[str] = FRAGMENTS, on_step: OnStep = no_progress, ca_bundle: Path | None = None
) -> Kernel:
    """Return a kernel configured by these files of `images/uml`, built first if missing. Raises as prepare_uml does."""
    kernel_path = kernel_entry(fragments)
    adopt_kernel(kernel_path)
    _build_missing(_Missing(kernel_path, None, fragments), on_step, ca_bundle)
    return read_kernel(kernel_path)


def damaged_artefacts(*, full: bool | None = None) -> dict[str, str]:
    """Return what is wrong with the kernels, the root file systems and the agent's sources of the current recipes.

    By path; what is not built is not wrong. `full`: read every file.
    """
    roots = [entry for stacks in stack_choices() if (entry := root_entry(stacks)).exists()]
    kernels = dict.fromkeys((kernel_entry(), *(entry for entry, _ in built_kernels())))
    sources = [folder for root in roots if (folder := source_folder(root)).exists()]
    listed = [kernel for kernel in kernels if kernel.exists() and not is_unlisted(kernel)]
    entries = (*listed, *roots, *sources)
    return {str(entry): damage for entry in entries if (damage := find_damage(entry, full=full))}


@dataclass(frozen=True, slots=True)
class _Missing:
    """Cache entries to build unless they exist; in `_build`, the folders to fill."""

    kernel: Path | None
    root: Path | None
    fragments: Sequence[str] = FRAGMENTS
    stacks: tuple[str, ...] = ()
    series: str | None = None

    def any(self) -> bool:
        return any(entry is not None and find_damage(entry) for entry in (self.kernel, self.root))


def _build_missing(missing: _Missing, on_step: OnStep, ca_bundle: Path | None) -> None:
    if not missing.any():
        return
    require_bootstrap()
    require_space([(build_folder(), BUILD_BYTES), (cache_home(), CACHE_BYTES)])
    bundle = trusted_bundle(ca_bundle)
    names = (DEFAULT_STACK, *stacks_with_wheels(missing.stacks)) if missing.root else ()
    wheels = {name: fetch_wheels(on_step, bundle, name) for name in names}
    with ExitStack() as stack:
        # Always in this order, so that two processes cannot wait for each other.
        root = _enter(stack, missing.root, "root file system", on_step, changing_folders())
        kernel = _enter(stack, missing.kernel, "kernel", on_step)
        scratch = stack.enter_context(owned_folder("build", build_folder()))
        _build(replace(missing, kernel=kernel, root=root), scratch, wheels, on_step, bundle)


def _enter(
    stack: ExitStack, entry: Path | None, what: str, on_step: OnStep, excluded: Sequence[str] = ()
) -> Path | None:
    if entry is None:
        return None
    return stack.enter_context(
        building(
            entry,
            lambda: on_step(f"waiting for another build of the {what}", None),
            lambda damage: on_step(f"the {what} in the cache is damaged, building it again: {damage}", None),
            excluded,
        )
    )


def _build(
    missing: _Missing, scratch: Path, wheels: Mapping[str, Path], on_step: OnStep, ca_bundle: Path | None
) -> None:
    """Fill the folders: one builder root builds pycurl and the kernel, in parallel with the root of programs."""
    works: list[BuilderWork] = []
    packages: tuple[str, ...] = ()
    hooks: list[str] = []
    commands: list[Command] = []
    tar = scratch / "root.tar"
    if missing.root is not None:
        packages += (*vendor_packages(), *extra_packages(missing.stacks, "build"))
        works.append(vendor_work(wheels[DEFAULT_STACK], scratch))
        hooks += build_hooks(missing.stacks, scratch, wheels)
        commands.append(system_command(tar, ca_bundle, missing.stacks))
    if missing.kernel is not None:
        packages += kernel_packages()
        works.append(kernel_work(missing.kernel, missing.fragments, missing.series))
    if works:
        hooks += work_hooks(*works)
        included = sorted(set(packages))
        commands.append(bootstrap("builder", variant="apt", packages=included, hooks=hooks, ca_bundle=ca_bundle))
    run_commands(commands, on_step, PRINTED_LINES)
    if missing.root is not None:
        assemble_root(missing.root, tar, scratch, on_step)
