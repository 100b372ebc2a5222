"""Base image for engines that cannot pull debian:trixie-slim: a tar for `docker import`."""

from pathlib import Path

from pqbed.artefacts.build_steps import OnStep, no_progress, run_commands
from pqbed.artefacts.cache_entries import building, hash_inputs, require_space
from pqbed.artefacts.debian_bootstrap import UNREAD, bootstrap, build_folder, require_bootstrap
from pqbed.artefacts.image_sources import SUITE
from pqbed.artefacts.trusted_certificates import trusted_bundle
from pqbed.user_folders import cache_home

TAR_BYTES = 600 << 20


def prepare_base(on_step: OnStep = no_progress, ca_bundle: Path | None = None) -> Path:
    """Return the tar, built first if the cache lacks it. Import it as `base_reference()`."""
    entry = _entry()
    if not entry.exists():
        require_bootstrap()
        require_space([(build_folder(), TAR_BYTES), (cache_home(), TAR_BYTES)])
    with building(entry, lambda: on_step("waiting for another build of the base image", None)) as partial:
        if partial is not None:
            bundle = trusted_bundle(ca_bundle)
            tar = partial / "base.tar"
            run_commands([bootstrap("base image", variant="minbase", output=tar, ca_bundle=bundle)], on_step)
    return entry / "base.tar"


def base_reference() -> str:
    """The name to import it under, and to give as the build argument BASE."""
    return f"pqbed/base:{_entry().name}"


def _entry() -> Path:
    return cache_home() / "bases" / hash_inputs("base/1", SUITE, *UNREAD)
