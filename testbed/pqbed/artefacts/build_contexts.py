"""Build contexts of images: folders that a container engine builds from, named by a hash of their contents."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pqbed.artefacts.agent_source import copy_source, source_hash
from pqbed.artefacts.agent_wheels import fetch_wheels
from pqbed.artefacts.build_steps import OnStep, no_progress
from pqbed.artefacts.cache_entries import building, hash_inputs
from pqbed.artefacts.guest_kernel import recipe_series, series_inputs
from pqbed.artefacts.image_sources import recipe_folder
from pqbed.artefacts.root_stacks import SHARED, extra_stacks, shared_script
from pqbed.artefacts.trusted_certificates import trusted_bundle
from pqbed.artefacts.user_stacks import added_stacks
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.stacks import stack_named
from pqbed.user_folders import cache_home

REPOSITORY = "pqbed"
GUEST = "uml"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerContext:
    """One image: build `folder` with `build_args` and name it `reference`; equal references are equal inputs."""

    stack: str
    folder: Path
    tag: str
    build_args: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        return f"{REPOSITORY}/{self.stack}:{self.tag}"


def docker_contexts(
    on_step: OnStep = no_progress, ca_bundle: Path | None = None
) -> tuple[DockerContext, DockerContext]:
    """Return the contexts of the default stack and, built on it, of the guest image `uml`.

    Both take another build argument, BASE, if the engine has no debian:trixie-slim. apt in the builds trusts
    `ca_bundle`, which is not part of the tag.
    """
    (stack,) = stack_contexts((DEFAULT_STACK,), on_step, ca_bundle)
    return stack, guest_contexts((), on_step, ca_bundle)[-1]


def stack_contexts(
    stacks: Iterable[str], on_step: OnStep = no_progress, ca_bundle: Path | None = None
) -> tuple[DockerContext, ...]:
    """Return the contexts of `stacks`, each after its base images."""
    bundle = trusted_bundle(ca_bundle)
    contexts: dict[str, DockerContext] = {}

    def add(name: str) -> DockerContext:
        if name not in contexts:
            stack = stack_named(name)
            below = add(stack.extends) if stack.extends else None
            contexts[name] = _stack_context(name, below, on_step, bundle)
        return contexts[name]

    for name in stacks:
        add(name)
    return tuple(contexts.values())


def guest_contexts(
    stacks: Iterable[str],
    on_step: OnStep = no_progress,
    ca_bundle: Path | None = None,
    series: str | None = None,
) -> tuple[DockerContext, ...]:
    """Return the contexts, in order, that end with the guest image: one root with all of `stacks`.

    Each stack is built on the previous one; the kernel in it is of `series`, None the default one.
    """
    bundle = trusted_bundle(ca_bundle)
    contexts = [_stack_context(DEFAULT_STACK, None, on_step, bundle)]
    for name in (*extra_stacks(stacks), *added_stacks(stacks)):
        contexts.append(_stack_context(name, contexts[-1], on_step, bundle))
    uml = recipe_folder(GUEST)

    def fill(folder: Path) -> None:
        shutil.copytree(uml, folder, dirs_exist_ok=True)
        shutil.copyfile(shared_script("install.sh"), folder / "install.sh")

    below = contexts[-1]
    tag = hash_inputs(below.tag, uml, *series_inputs(series))
    folder = _context(GUEST, tag, fill, bundle)
    arguments = {"STACK": below.reference, "KERNEL": recipe_series(series)}
    return (*contexts, DockerContext(stack=GUEST, folder=folder, tag=tag, build_args=arguments))


def _stack_context(name: str, below: DockerContext | None, on_step: OnStep, bundle: Path | None) -> DockerContext:
    """Return the context of a stack on the image `below`, None Debian's.

    It holds the entry of this stack alone: another one that is added or changed leaves the image as it is.
    """
    recipe = recipe_folder(name)
    inputs = (source_hash((name,)),) if below is None else (source_hash((name,)), below.tag)
    tag = hash_inputs(recipe, *inputs)
    wheels = fetch_wheels(on_step, bundle, name) if (recipe / "wheels.txt").exists() else None

    def fill(folder: Path) -> None:
        shutil.copytree(recipe, folder, dirs_exist_ok=True)
        for script in SHARED:
            if not (folder / script).exists():
                shutil.copyfile(shared_script(script), folder / script)
        if wheels is not None:
            shutil.copytree(wheels, folder / "wheels")
        copy_source(folder / "pqbed", (name,))

    arguments = {} if below is None else {"BASE": below.reference}
    return DockerContext(stack=name, folder=_context(name, tag, fill, bundle), tag=tag, build_args=arguments)


def _context(stack: str, tag: str, fill: Callable[[Path], None], ca_bundle: Path | None) -> Path:
    authorities = b"" if ca_bundle is None else ca_bundle.read_bytes()
    entry = cache_home() / "contexts" / f"{stack}-{hash_inputs('context/2', tag, authorities)}"
    with building(entry) as partial:
        if partial is not None:
            fill(partial)
            (partial / "ca.pem").write_bytes(authorities)
    return entry
