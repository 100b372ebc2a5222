"""A profile as a server offers it."""

from dataclasses import dataclass

from pqbed.spec.connection import ConnectionKind
from pqbed.spec.profile import Profile

# The first profile's; each further one has the next.
FIRST_PORT = 4433
# A profile has a port for each kind of session: where tickets are given, a full handshake is another one.
_PORT_STEP = 1500
_STEPS: dict[ConnectionKind, int] = {"full": 0, "reused": 0, "resumed": 1, "early": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedProfile:
    """One profile as the server offers it. `certificate_wire_bytes`: the TLS Certificate message.

    `client_certificate_wire_bytes` is that of the client's, None without mutual authentication. `provider` serves the
    group and `signature_provider` the signature, `group_id` is the group's codepoint; None if the stack does not report
    them. Keys are in `Credentials`.
    """

    profile: Profile
    port: int
    root_pem: str
    certificate_wire_bytes: int
    signature: str
    client_certificate_wire_bytes: int | None = None
    provider: str | None = None
    group_id: int | None = None
    signature_provider: str | None = None

    def port_for(self, kind: ConnectionKind) -> int:
        """Return the port that serves connections of this kind."""
        return self.port + _STEPS[kind] * _PORT_STEP
