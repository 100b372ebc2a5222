"""Sweeps and profiles as data. `profiles.toml` holds profiles; every other file is a sweep."""

import tomllib
from importlib import resources
from typing import Any

from pqbed.spec.names import known_name

_PROFILES = "profiles"


def preset_names() -> tuple[str, ...]:
    """Return the names of the sweeps that come with pqbed."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    stems = (name.removesuffix(".toml") for name in files if name.endswith(".toml"))
    return tuple(sorted(stem for stem in stems if stem != _PROFILES))


def preset(name: str) -> dict[str, Any]:
    """Return the sweep `name` as TOML gives it, to be laid under what the user says."""
    return _read(known_name(name, preset_names(), "preset"))


def profile_tables() -> dict[str, Any]:
    """Return the tables of `profiles.toml`."""
    return _read(_PROFILES)


def _read(stem: str) -> dict[str, Any]:
    text = resources.files(__name__).joinpath(f"{stem}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
