"""Facts about a lane: kernel, versions, sysctls, served profiles."""

from dataclasses import dataclass, field

from pqbed.tls.served_profile import ServedProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """Environment of a lane: the kernel that carries its packets, versions of its parts, pinned sysctls."""

    kernel: str
    versions: dict[str, str] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    served: tuple[ServedProfile, ...] = ()
