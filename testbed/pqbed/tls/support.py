"""What this stack's OpenSSL can do, asked of OpenSSL itself (never read from a table)."""

import subprocess
from dataclasses import dataclass

from pqbed.spec.profile import Profile
from pqbed.tls.groups import canonical_group
from pqbed.tls.signatures import KEY_KINDS

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """`groups` and `signatures` as OpenSSL names them; `version` is its own line."""

    version: str
    groups: tuple[str, ...]
    signatures: tuple[str, ...]

    def reason_against(self, profile: Profile) -> str:
        """Say why `profile` cannot be served here; empty when it can."""
        if canonical_group(profile.group) not in map(canonical_group, self.groups):
            return f"{self.version} has no group {profile.group}"
        for chain in filter(None, (profile.chain, profile.clients_chain)):
            for algorithm in (chain.algorithm, chain.authority):
                if not self._has_certificates(algorithm):
                    return f"{self.version} has no certificates of algorithm {algorithm}"
        return ""

    def _has_certificates(self, algorithm: str) -> bool:
        kind = KEY_KINDS.get(algorithm)
        return kind is not None and kind.scheme.lower() in map(str.lower, self.signatures)


def probe_support() -> Support:
    """Ask `openssl` (3.5 or newer) for its version, TLS 1.3 groups and signature schemes."""
    return Support(
        version=_openssl("version").split("(")[0].strip(),
        groups=_names(_openssl("list", "-tls1_3", "-tls-groups")),
        signatures=_names(_openssl("list", "-tls1_3", "-tls-signature-algorithms")),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.replace("\n", ":").split(":") if name.strip())


def _openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    return done.stdout.strip()
