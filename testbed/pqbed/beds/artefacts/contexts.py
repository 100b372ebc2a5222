"""Build contexts of the images: folders that a container engine builds from, named by a hash of what is in them."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pqbed.beds.artefacts.cache import building, cache_home, hash_inputs
from pqbed.beds.artefacts.command import OnStep, no_progress
from pqbed.beds.artefacts.recipes import recipe_folder
from pqbed.beds.artefacts.source import copy_source, source_hash
from pqbed.beds.artefacts.trust import trusted_bundle
from pqbed.beds.artefacts.wheels import fetch_wheels

REPOSITORY = "pqbed"


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
    """Return the contexts of the stack `openssl` and, built on it, of the guest image `uml`.

    Both take one more build argument, BASE, where the engine has no debian:trixie-slim. `ca_bundle` is what apt in
    the builds trusts; it is not part of the tag.
    """
    bundle = trusted_bundle(ca_bundle)
    wheels = fetch_wheels(on_step, bundle)
    openssl, uml = recipe_folder("openssl"), recipe_folder("uml")
    tag = hash_inputs(openssl, source_hash())

    def fill_openssl(folder: Path) -> None:
        shutil.copytree(openssl, folder, dirs_exist_ok=True)
        shutil.copytree(wheels, folder / "wheels")
        copy_source(folder / "pqbed")

    def fill_uml(folder: Path) -> None:
        shutil.copytree(uml, folder, dirs_exist_ok=True)
        shutil.copyfile(openssl / "install.sh", folder / "install.sh")

    stack = DockerContext(stack="openssl", folder=_context("openssl", tag, fill_openssl, bundle), tag=tag)
    guest_tag = hash_inputs(tag, uml)
    guest = DockerContext(
        stack="uml",
        folder=_context("uml", guest_tag, fill_uml, bundle),
        tag=guest_tag,
        build_args={"STACK": stack.reference},
    )
    return stack, guest


def _context(stack: str, tag: str, fill: Callable[[Path], None], ca_bundle: Path | None) -> Path:
    authorities = b"" if ca_bundle is None else ca_bundle.read_bytes()
    entry = cache_home() / "contexts" / f"{stack}-{hash_inputs(tag, authorities)}"
    with building(entry) as partial:
        if partial is not None:
            fill(partial)
            (partial / "ca.pem").write_bytes(authorities)
    return entry
