"""What is fetched."""

from dataclasses import dataclass
from typing import Literal

Http = Literal["1.1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A response body of `size_bytes` over one new connection."""

    size_bytes: int
    http: Http = "1.1"
