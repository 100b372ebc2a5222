"""The link as the kernel says it is."""

from dataclasses import dataclass

from pqbed.net.shape import EndShape


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
    """Both ends, read back."""

    client: EndState
    server: EndState
