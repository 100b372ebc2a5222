"""Sweeps, profiles and links as data. `profiles.toml` and `links.toml` hold tables; every other file is a sweep."""

import tomllib
from importlib import resources
from typing import Any

from pqbed.spec.name_suggestions import known_name

_PROFILES, _LINKS = "profiles", "links"


def preset_names() -> tuple[str, ...]:
    """Return the names of the sweeps that come with pqbed."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    stems = (name.removesuffix(".toml") for name in files if name.endswith(".toml"))
    return tuple(sorted(stem for stem in stems if stem not in {_PROFILES, _LINKS}))


def preset_descriptions() -> dict[str, str]:
    """Return the first comment of every such sweep, by name: what it is for."""
    return {name: _text(name).partition("\n")[0].removeprefix("# ") for name in preset_names()}


def preset(name: str) -> dict[str, Any]:
    """Return the sweep `name` as TOML gives it, to be laid under what the user says."""
    return _read(known_name(name, preset_names(), "preset"))


def profile_tables() -> dict[str, Any]:
    """Return the tables of `profiles.toml`."""
    return _read(_PROFILES)


def link_tables() -> dict[str, Any]:
    """Return the tables of `links.toml`."""
    return _read(_LINKS)


def _read(stem: str) -> dict[str, Any]:
    return tomllib.loads(_text(stem))


def _text(stem: str) -> str:
    return resources.files(__name__).joinpath(f"{stem}.toml").read_text(encoding="utf-8")
