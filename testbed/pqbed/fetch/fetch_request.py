"""Request of one fetch to a client."""

from dataclasses import dataclass

from pqbed.spec.connection import FULL, Connection
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.workload import Http


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One fetch of `/<size_bytes>` from `address`:`port`; `connection` says over which connection.

    `groups` are those that the client offers, by preference, and `shares` those of them with a key share; of neither,
    `group` alone. A negotiated group other than `group` makes the sample an error. `root_pem` is the only trusted root;
    `server_name` must be in the leaf. `signature` is what the server was restricted to. `credentials` names the
    client's credentials, "" none. `stack` is the client's.
    With `staple` the client asks for an OCSP response and fails without a valid one; `alpn` offers HTTP/1.1 by name.
    With `fast_open` the ClientHello begins in the SYN. `paced`: a rate keeps the segments that arrive apart, so that
    how they are read changes nothing.
    `group_id` is the codepoint of `group` if the server knows it.
    """

    address: str
    port: int
    server_name: str
    size_bytes: int
    group: str
    signature: str
    root_pem: str
    timeout_ns: int
    credentials: str = ""
    stack: str = DEFAULT_STACK
    group_id: int | None = None
    http: Http = "1.1"
    connection: Connection = FULL
    groups: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    staple: bool = False
    alpn: bool = False
    fast_open: bool = False
    paced: bool = False

    @property
    def retries(self) -> bool:
        """Return whether the server has to ask for another ClientHello, since `group` has no key share."""
        return bool(self.shares) and self.group not in self.shares
