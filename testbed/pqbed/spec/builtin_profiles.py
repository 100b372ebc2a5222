"""The profiles that come with pqbed (`presets/profiles.toml`)."""

import functools
from types import MappingProxyType

from pqbed.spec.json_codec import from_json
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.presets import profile_tables
from pqbed.spec.profile import Profile


def builtin_profiles() -> dict[str, Profile]:
    """Return the built-in profiles by name, in the order of the file."""
    return dict(_builtin())


def profile_named(name: str) -> Profile:
    """Return the built-in profile `name`."""
    return _builtin()[known_name(name, _builtin(), "profile")]


@functools.cache
def _builtin() -> MappingProxyType[str, Profile]:
    tables = profile_tables().items()
    return MappingProxyType({name: from_json(Profile, {"name": name, **table}) for name, table in tables})
