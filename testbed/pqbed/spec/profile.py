"""TLS profiles: the arms that are compared."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A certificate chain: a leaf under `depth` - 1 intermediates, all of one algorithm.

    The server sends `depth` certificates; the root that signs the last stays with the client.
    """

    algorithm: str
    depth: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One TLS arm. `group` is the name OpenSSL and the IANA registry use (X25519MLKEM768)."""

    name: str
    group: str
    chain: Chain
    stack: str = "openssl"
    mutual: bool = False
