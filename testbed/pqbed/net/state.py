"""The link as the kernel says it is."""

from dataclasses import dataclass, field

from pqbed.spec.shape import EndShape, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class EndState:
    """One end of the link, read back. `text` is its qdisc as `tc` words it, for people.

    `asked` is None where nothing was asked (a plain reading).
    """

    asked: EndShape | None
    applied: EndShape
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """Both ends, and the stages between them where there are any, read back."""

    client: EndState
    server: EndState
    stages: dict[Stage, EndState] = field(default_factory=dict)
