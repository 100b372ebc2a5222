"""State of a link as read back from the kernel."""

from dataclasses import dataclass, field

from pqbed.spec.link_end_shape import EndShape, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class EndState:
    """One end of the link, read back. `text` is its qdisc in the format of `tc`, for people.

    `asked` is None if nothing was requested (a plain reading).
    """

    asked: EndShape | None
    applied: EndShape
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """Both ends, and the stages between them if there are any, read back."""

    client: EndState
    server: EndState
    stages: dict[Stage, EndState] = field(default_factory=dict)
