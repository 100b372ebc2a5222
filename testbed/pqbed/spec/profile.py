"""TLS profiles: the arms that are compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

# OpenSSL takes no longer Certificate message on either side unless told to, which neither libcurl nor nginx does: a
# header of 4 bytes, and SSL_MAX_CERT_LIST_DEFAULT (ssl.h).
LARGEST_WIRE_BYTES = 4 + 102_400
LONGEST_CHAIN = 8
# What serves and fetches where a profile does not say; the beds' own images and roots are built on it.
DEFAULT_STACK = "openssl"

# Of the name of the A/A arm: classical-again.
COPY_SUFFIX = "-again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A certificate chain: a leaf under `depth` - 1 intermediates, all sent; the root stays with who verifies.

    `intermediate` is the algorithm of the intermediates, None the leaf's; the root has that of what it signs.
    `wire_bytes` is the size of the TLS Certificate message that the certificates are padded to; None leaves them plain.
    """

    algorithm: str
    depth: int = field(default=2, metadata={"ge": 1, "le": LONGEST_CHAIN})
    intermediate: str | None = None
    wire_bytes: int | None = field(default=None, metadata={"ge": 1, "le": LARGEST_WIRE_BYTES})

    @property
    def authority(self) -> str:
        """Return the algorithm of the intermediates, if any, and of the root."""
        return self.intermediate if self.intermediate and self.depth > 1 else self.algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One TLS arm. `group` is the name OpenSSL and the IANA registry use (X25519MLKEM768).

    `mutual`: the client too sends a chain and proves its key. `client_chain` None: one of the server's kind.
    `stack` serves and `client_stack` fetches; None: the same.
    `copy_of` names the profile that this one is a second copy of: the A/A arm.
    """

    name: str
    group: str
    chain: Chain
    stack: str = DEFAULT_STACK
    mutual: bool = False
    client_chain: Chain | None = None
    copy_of: str | None = None
    client_stack: str | None = None

    @property
    def clients_stack(self) -> str:
        """Return the stack that fetches."""
        return self.client_stack or self.stack

    @property
    def clients_chain(self) -> Chain | None:
        """Return the chain that the client sends; None without mutual authentication."""
        return (self.client_chain or self.chain) if self.mutual else None


def copy_profile(profile: Profile) -> Profile:
    """Return the A/A arm of `profile`: served and fetched alike, and told apart by its name alone."""
    return replace(profile, name=profile.name + COPY_SUFFIX, copy_of=profile.name)


def stacks_of(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Return the stacks of both sides besides the default one, each once, sorted."""
    names = {name for profile in profiles for name in (profile.stack, profile.clients_stack)}
    return tuple(sorted(names - {DEFAULT_STACK}))


def chain_text(chain: Chain) -> str:
    """Name a chain for people and tables: `mldsa65`, `mldsa44+mldsa65x2` (two intermediates), `rsa2048x2+pad16000`.

    A plain chain of one algorithm is named by it alone, whatever its depth.
    """
    above = chain.depth - 1
    if chain.authority != chain.algorithm:
        text = f"{chain.algorithm}+{chain.authority}{f'x{above}' if above > 1 else ''}"
    else:
        text = chain.algorithm if chain.wire_bytes is None else f"{chain.algorithm}x{chain.depth}"
    return text if chain.wire_bytes is None else f"{text}+pad{chain.wire_bytes}"
