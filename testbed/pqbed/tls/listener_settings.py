"""Settings of a server for one port."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One port, one profile: `groups` and `signature` are the only ones offered there.

    `groups` is in OpenSSL's syntax: names joined by `:`, and by `/` where those before it are preferred to any share.
    `chain` holds leaf and intermediates as PEM, in the order of the wire. With `client_root` the client must send a
    chain under it, `client_depth` certificates below the root, whose leaf signs with `client_signature`.
    `staple` is the OCSP response, in DER, that is sent with the chain.
    Without `tickets` no session is resumed; with them the header of the group also says whether this one was, and with
    `early_data` whether the request came early.
    """

    port: int
    chain: Path
    key: Path
    groups: str
    signature: str
    client_root: Path | None = None
    client_depth: int = 0
    client_signature: str = ""
    staple: Path | None = None
    tickets: bool = False
    early_data: bool = False
