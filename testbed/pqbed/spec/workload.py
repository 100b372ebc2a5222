"""What is fetched, and over what."""

from dataclasses import dataclass
from typing import Literal, get_args

from pqbed.spec.connection import FULL, Connection

Http = Literal["1.1", "2", "3"]
Transport = Literal["tcp", "quic"]

HTTP_VERSIONS: tuple[Http, ...] = get_args(Http)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A response body of `size_bytes` over one connection."""

    size_bytes: int
    http: Http = "1.1"
    connection: Connection = FULL

    @property
    def transport(self) -> Transport:
        """Return what carries this version of HTTP. What assumes TCP asks here first."""
        return "quic" if self.http == "3" else "tcp"
