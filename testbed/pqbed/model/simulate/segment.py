"""A TCP segment between the simulated endpoints, and one that its sender keeps until it is acknowledged."""

from dataclasses import dataclass
from typing import NamedTuple


class SimSegment(NamedTuple):
    """A segment that arrives; without data it is an acknowledgement alone.

    `number` is that of its first byte. `acknowledged` and `limit` are what its sender has received, and the first byte
    that it has no room for; `duplicate` are bytes that it had received already (D-SACK, RFC 2883). `stamp_ms` is when
    it was sent, `echo_ms` the stamp it answers (RFC 7323).
    """

    number: int
    size_bytes: int
    acknowledged: int
    limit: int
    pushed: bool
    stamp_ms: int
    echo_ms: int
    duplicate: tuple[int, int] | None

    @property
    def end(self) -> int:
        return self.number + self.size_bytes


@dataclass(slots=True)
class Unacknowledged:
    """A segment in flight. `in_host_until_ns`: until then it is in a queue of its own host.

    `repeated`: it was sent again at some time; `resent`: its repetition is in flight since it was marked `lost`.
    """

    number: int
    end: int
    pushed: bool
    sent_ns: int
    in_host_until_ns: int
    repeated: bool = False
    resent: bool = False
    lost: bool = False
