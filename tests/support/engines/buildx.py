"""Debian's Docker CLI with its plug-in buildx, unpacked into the cache folder: the host keeps what it has."""

from pathlib import Path

import pytest

from pqbed.artefacts.build_steps import Command, no_progress, run_commands
from pqbed.artefacts.cache_entries import building
from pqbed.artefacts.debian_bootstrap import build_folder, require_bootstrap
from pqbed.artefacts.image_sources import SUITE
from pqbed.errors import HostError
from pqbed.user_folders import cache_home

PACKAGES = ("docker-cli", "docker-buildx")
PLUGIN = "usr/libexec/docker/cli-plugins/docker-buildx"


def put_buildx_first(monkeypatch: pytest.MonkeyPatch, configuration: Path) -> None:
    """Let `docker` be a CLI with buildx, `configuration` its folder; skip the test where nothing can be unpacked."""
    try:
        require_bootstrap()
    except HostError as error:
        pytest.skip(f"buildx: {error.message}")
    entry = cache_home() / "tests" / f"buildx-{SUITE}"
    with building(entry) as partial:
        if partial is not None:
            argv = ["mmdebstrap", "--variant=extract", f"--include={','.join(PACKAGES)}", SUITE, str(partial)]
            environment = {"TMPDIR": str(build_folder())}
            run_commands([Command(name="buildx", argv=argv, env=environment)], no_progress)
    plugins = configuration / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(entry / PLUGIN)
    monkeypatch.setenv("DOCKER_CONFIG", str(configuration))
    monkeypatch.setenv("PATH", str(entry / "usr/bin"), prepend=":")
