"""TLS profiles: the arms that are compared."""

import itertools
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from pqbed.errors import SpecError

# OpenSSL takes no longer Certificate message on either side unless told to, which neither libcurl nor nginx does: a
# header of 4 bytes, and SSL_MAX_CERT_LIST_DEFAULT (ssl.h).
LARGEST_WIRE_BYTES = 4 + 102_400
LONGEST_CHAIN = 8
MOST_GROUPS = 16
# Names of groups, joined by `:` and `/`.
RANKS_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,511}$"
# What serves and fetches where a profile does not say; the beds' own images and roots are built on it.
DEFAULT_STACK = "openssl"

# An SCT (RFC 6962 3.2): 47 bytes around a signature, which is by P-256 in every log of today and has 72 at most.
SCT_FRAME_BYTES = 47
SCT_BYTES = SCT_FRAME_BYTES + 72
MOST_SCTS, LARGEST_SCT_BYTES = 8, 8_000

# Of the name of the A/A arm: classical-again.
COPY_SUFFIX = "-again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCertificate:
    """One certificate that is sent. `algorithm` is that of its key, with the size: rsa4096, p256, mldsa44.

    `der_bytes` is the size that it is padded to; None leaves it plain.
    """

    algorithm: str
    der_bytes: int | None = field(default=None, metadata={"ge": 1, "le": LARGEST_WIRE_BYTES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A certificate chain: a leaf under `depth` - 1 intermediates, all sent; the root stays with who verifies.

    `intermediate` is the algorithm of the intermediates, None the leaf's; the root has that of what it signs, unless
    `root` names another.
    `certificate` names each certificate instead, the leaf first; `algorithm` and `depth` follow from it.
    `wire_bytes` is the size of the TLS Certificate message that the certificates are padded to; None leaves them plain.
    `scts` signed certificate timestamps of `sct_bytes` each are embedded in the leaf (RFC 6962 3.3).
    With `ocsp` the server staples a response for the leaf, signed by its issuer (RFC 8446 4.4.2.1); it comes on top of
    `wire_bytes`, and the client asks for it and verifies it.
    Raises SpecError for a chain without certificates.
    """

    algorithm: str = ""
    depth: int = field(default=2, metadata={"ge": 1, "le": LONGEST_CHAIN})
    intermediate: str | None = None
    wire_bytes: int | None = field(default=None, metadata={"ge": 1, "le": LARGEST_WIRE_BYTES})
    certificate: tuple[ChainCertificate, ...] = field(default=(), metadata={"max_length": LONGEST_CHAIN})
    root: str | None = None
    scts: int = field(default=0, metadata={"ge": 0, "le": MOST_SCTS})
    sct_bytes: int = field(default=SCT_BYTES, metadata={"ge": SCT_FRAME_BYTES + 1, "le": LARGEST_SCT_BYTES})
    ocsp: bool = False

    def __post_init__(self) -> None:
        if self.wire_bytes is not None and any(one.der_bytes is not None for one in self.certificate):
            raise SpecError("a chain has wire_bytes, and so have its certificates der_bytes", "leave out one of them")
        if self.ocsp and self.length < 2:
            raise SpecError(
                "a chain of one certificate has no stapled OCSP response: its signer's certificate is not sent",
                "give the chain an intermediate, or leave out ocsp",
            )
        if not self.certificate:
            if not self.algorithm:
                raise SpecError("a chain has no algorithm", "give it one, or a [[chain.certificate]] per certificate")
            return
        leaf = self.certificate[0].algorithm
        if self.intermediate is not None or self.algorithm not in {"", leaf} or self.depth not in {2, self.length}:
            raise SpecError(
                "a chain that names each certificate has algorithm, depth or intermediate as well",
                "leave them out: they follow from [[chain.certificate]]",
            )
        object.__setattr__(self, "algorithm", leaf)
        object.__setattr__(self, "depth", self.length)

    @property
    def length(self) -> int:
        """Return the number of certificates that are sent."""
        return len(self.certificate) or self.depth

    @property
    def sent(self) -> tuple[ChainCertificate, ...]:
        """Return the certificates that are sent, the leaf first."""
        above = ChainCertificate(algorithm=self.intermediate or self.algorithm)
        return self.certificate or (ChainCertificate(algorithm=self.algorithm), *[above] * (self.depth - 1))

    @property
    def issuers(self) -> tuple[str, ...]:
        """Return the algorithm of the key that signs each certificate that is sent, the leaf's first."""
        keys = [certificate.algorithm for certificate in self.sent]
        return (*keys[1:], self.root or keys[-1])

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms of all keys, the root's included, each once."""
        return tuple(dict.fromkeys((self.algorithm, *self.issuers)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One TLS arm. `group` is the name OpenSSL and the IANA registry use (X25519MLKEM768); it must be negotiated.

    `groups` are those that the client offers, by preference, and `shares` those of them that it sends key shares for;
    without the first only `group` is offered, without the second the first group has the only share.
    `server_groups` are those that the server takes, as OpenSSL writes them: between groups joined by `:` it takes the
    one that has a share, those behind a `/` only where none before it was offered. Without it `group` is the only one.
    `alpn`: HTTP/1.1 is negotiated too (RFC 7301); later versions always are.
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
    groups: tuple[str, ...] = field(default=(), metadata={"max_length": MOST_GROUPS})
    shares: tuple[str, ...] = field(default=(), metadata={"max_length": MOST_GROUPS})
    server_groups: str | None = field(default=None, metadata={"pattern": RANKS_PATTERN})
    alpn: bool = False

    def __post_init__(self) -> None:
        for key, names in (("groups", self.offered), ("server_groups", self.accepted)):
            if "" in names:
                raise SpecError(f"profile {self.name}: {key} has an empty name", "join names by single : or /")
            if self.group not in names:
                raise SpecError(
                    f"profile {self.name}: {key} lacks {self.group}, which is to be negotiated",
                    "add it, by the same name as in group",
                )
        if strange := set(self.key_shares) - set(self.offered):
            raise SpecError(f"profile {self.name}: shares has {min(strange)}, which groups lacks", "add it to groups")

    @property
    def offered(self) -> tuple[str, ...]:
        """Return the groups that the client offers, by preference."""
        return self.groups or (self.group,)

    @property
    def key_shares(self) -> tuple[str, ...]:
        """Return the groups that the client sends key shares for."""
        return self.shares or self.offered[:1]

    @property
    def accepted(self) -> tuple[str, ...]:
        """Return the groups that the server takes."""
        return (self.group,) if self.server_groups is None else tuple(re.split("[:/]", self.server_groups))

    @property
    def retries(self) -> bool:
        """Return whether the server must ask for another ClientHello (RFC 8446, 4.1.4): it has no share of `group`."""
        return self.group not in self.key_shares

    @property
    def clients_stack(self) -> str:
        """Return the stack that fetches."""
        return self.client_stack or self.stack

    @property
    def clients_chain(self) -> Chain | None:
        """Return the chain that the client sends; None without mutual authentication."""
        chain = self.client_chain or replace(self.chain, ocsp=False)
        return chain if self.mutual else None


def copy_profile(profile: Profile) -> Profile:
    """Return the A/A arm of `profile`: served and fetched alike, and told apart by its name alone."""
    return replace(profile, name=profile.name + COPY_SUFFIX, copy_of=profile.name)


def mark_shares(groups: Iterable[str], shares: Collection[str]) -> str:
    """Return the groups that a client offers as OpenSSL 3.5 writes them: `*` before those with a key share."""
    return ":".join(f"*{name}" if name in shares else name for name in groups)


def stacks_of(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Return the stacks of both sides besides the default one, each once, sorted."""
    names = {name for profile in profiles for name in (profile.stack, profile.clients_stack)}
    return tuple(sorted(names - {DEFAULT_STACK}))


def chain_text(chain: Chain) -> str:
    """Name a chain for people and tables: `mldsa65`, `mldsa44+mldsa65x2` (two intermediates), `rsa2048x2+pad16000`.

    A plain chain of one algorithm is named by it alone, whatever its depth. Then come a root of another algorithm
    (`root-SLH-DSA-SHA2-128s`), embedded SCTs (`sct2x119`), and a stapled OCSP response (`ocsp`).
    """
    root = f"+root-{chain.root}" if chain.root and chain.root != chain.sent[-1].algorithm else ""
    scts = f"+sct{chain.scts}x{chain.sct_bytes}" if chain.scts else ""
    pad = "" if chain.wire_bytes is None else f"+pad{chain.wire_bytes}"
    return _keys_text(chain) + root + scts + pad + ("+ocsp" if chain.ocsp else "")


def _keys_text(chain: Chain) -> str:
    sized = any(certificate.der_bytes is not None for certificate in chain.sent)
    runs = [(key, len(list(same))) for key, same in itertools.groupby(chain.sent, _certificate_text)]
    if len(runs) == 1 and chain.wire_bytes is None and not sized:
        return chain.algorithm
    first, *others = [f"{key}x{number}" if number > 1 else key for key, number in runs]
    lone = f"{first}x1" if len(runs) == 1 and chain.depth == 1 and not sized else first
    return "+".join((lone, *others))


def _certificate_text(certificate: ChainCertificate) -> str:
    return certificate.algorithm + ("" if certificate.der_bytes is None else f"-{certificate.der_bytes}")
