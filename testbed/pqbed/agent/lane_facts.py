"""Facts about a lane: kernel, versions, sysctls, served profiles."""

from dataclasses import dataclass, field

from pqbed.tls.served_profile import ServedProfile
from pqbed.tls.wire_sizes import LearnedSizes


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """Environment of a lane: the kernel that carries its packets, versions of its parts, pinned sysctls.

    `sizes` are those on the wire, where they have been learned.
    """

    kernel: str
    versions: dict[str, str] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    served: tuple[ServedProfile, ...] = ()
    sizes: LearnedSizes = field(default_factory=dict)
