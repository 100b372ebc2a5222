"""Request of one fetch to a client."""

from dataclasses import dataclass

from pqbed.spec.connection import FULL, Connection
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.workload import Http


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One fetch of `/<size_bytes>` from `address`:`port`; `connection` says over which connection.

    `root_pem` is the only trusted root; `server_name` must be in the leaf. A negotiated group other than `group`
    makes the sample an error. `signature` is what the server was restricted to. `credentials` names the
    client's credentials, "" none. `stack` is the client's.
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
