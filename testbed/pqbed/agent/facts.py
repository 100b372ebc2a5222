"""What a lane says of itself."""

from dataclasses import dataclass, field

from pqbed.tls.served_profile import ServedProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """What a lane runs on: the kernel that carries the packets, versions of the parts, pinned sysctls."""

    kernel: str
    versions: dict[str, str] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    served: tuple[ServedProfile, ...] = ()
