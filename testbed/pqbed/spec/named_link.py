"""A link by its name: the values it gives to some axes, and the source they come from."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLink:
    """`values`: by the option of their axis; other axes are those of the sweep.

    `latency`: what the source means by it (RTT, one way, per request). `reading`: how the values were read from the
    source, if not in itself.
    """

    name: str
    values: dict[str, Any]
    source: str = ""
    latency: str = ""
    reading: str = ""
