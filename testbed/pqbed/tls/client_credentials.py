"""Client credentials of mutual profiles."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A client's chain and its private key, as PEM. Only in memory, inside the bed: never in facts, samples or files.

    `profile` is the name of the profile they are for.
    """

    profile: str
    chain_pem: str = field(repr=False)
    key_pem: str = field(repr=False)
