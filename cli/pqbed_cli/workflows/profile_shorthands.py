"""What profiles of a sweep file may say in short: chains from PEM files, and hellos of a size.

`{ pem = ... }` and `{ like = ..., with = ... }` become chains of sizes when the sweep is read, since a file may change
or be gone; `hello_bytes` becomes groups and key shares.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pqbed.errors import SpecError
from pqbed.model.hello_of_size import size_hello
from pqbed.spec.json_codec import from_json
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sweep_toml import profile_table
from pqbed.spec.value_parsers import naming
from pqbed.tls.certificate_keys import KEY_KINDS
from pqbed.tls.certificate_shape import chain_of, read_shapes
from pqbed.tls.migrate_chain import migrate_chain

CHAINS = ("chain", "client_chain")
PEM, LIKE, WITH = "pem", "like", "with"
HELLO_BYTES = "hello_bytes"
# What else stands beside `like`: algorithms that are not those of `with`, whether SCTs move too, a stapled response.
_CHOICES = ("leaf", "intermediates", "root")
_SWITCHES = ("scts", "ocsp")


def read_shorthands(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a sweep file's `table` with what its profiles say in short written out; paths are relative to `folder`."""
    profiles = table.get("profiles")
    if not isinstance(profiles, dict):
        return table
    return {**table, "profiles": {name: _read_profile(name, one, folder) for name, one in profiles.items()}}


def _read_profile(name: str, profile: Any, folder: Path) -> Any:
    if not isinstance(profile, dict):
        return profile
    read = {
        key: _read_chain(f"profiles.{name}.{key}", profile[key], folder)
        for key in CHAINS
        if isinstance(profile.get(key), dict) and not {PEM, LIKE}.isdisjoint(profile[key])
    }
    whole = {**profile, **read}
    return _size_hello(name, whole) if HELLO_BYTES in whole else whole


def _size_hello(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of a profile with groups and shares for `hello_bytes`."""
    plain = {key: value for key, value in table.items() if key != HELLO_BYTES}
    wanted = table[HELLO_BYTES]
    with naming(f"profiles.{name}"):
        if not isinstance(wanted, int) or isinstance(wanted, bool):
            raise SpecError(f"{HELLO_BYTES} is no number of bytes", f"write {HELLO_BYTES} = 1944")
        sized = size_hello(from_json(Profile, {"name": name, **plain}), wanted)
    return {**plain, "groups": list(sized.groups), "shares": list(sized.shares)}


def _read_chain(where: str, table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    with naming(where):
        source = PEM if PEM in table else LIKE
        allowed = {source, "ocsp"} if source == PEM else {LIKE, WITH, *_CHOICES, *_SWITCHES}
        if "key" in table:
            raise SpecError(
                "pqbed takes no private keys: it would have to store yours with the run",
                "leave out key; a chain of the same sizes is signed anew",
            )
        if unknown := sorted(set(table) - allowed):
            raise SpecError(f"{unknown[0]} cannot stand beside {source}", f"choose from {', '.join(sorted(allowed))}")
        chain = chain_of(read_shapes(folder / _text(table, source)))
        if source == LIKE:
            chain = _migrate(chain, table)
        table_of_chain: dict[str, Any] = profile_table(Profile(name="x", group="x", chain=chain))["chain"]
        return table_of_chain | ({"ocsp": True} if table.get("ocsp") else {})


def _migrate(chain: Chain, table: Mapping[str, Any]) -> Chain:
    if WITH not in table:
        raise SpecError("like lacks with: the algorithm that the chain moves to", 'add with = "mldsa44"')
    for key in (WITH, *_CHOICES):
        if key in table and _text(table, key) not in KEY_KINDS:
            raise SpecError(f"{key}: there is no key of {table[key]!r}", f"choose from {', '.join(KEY_KINDS)}")
    for key in _SWITCHES:
        if not isinstance(table.get(key, True), bool):
            raise SpecError(f"{key} is neither true nor false", f"write {key} = false")
    choices = {key: table[key] for key in _CHOICES if key in table}
    return migrate_chain(chain, table[WITH], scts=table.get("scts", True), **choices)


def _text(table: Mapping[str, Any], key: str) -> str:
    if not isinstance(table[key], str):
        raise SpecError(f"{key} is no text", f'write {key} = "..."')
    return str(table[key])
