"""Names as users type them: known ones with the nearest suggested, and free ones that are safe in a path."""

import difflib
import re
from collections.abc import Iterable

from pqbed.errors import SpecError

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def known_name(name: str, names: Iterable[str], noun: str) -> str:
    """Return `name` if it is one of `names`, else raise SpecError with the nearest of them."""
    choices = list(names)
    if name not in choices:
        raise SpecError(f"there is no {noun} {name!r}", nearest(name, choices))
    return name


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint: the likely meaning of `name`, and all `names`."""
    choices = list(names)
    return f"{likely(name, choices)}choose from {', '.join(choices)}"


def likely(name: str, names: Iterable[str]) -> str:
    """Return a hint: `did you mean 'x'? ` with the nearest of `names`, "" if none is near or has it as a part."""
    lowered = {choice.lower(): choice for choice in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    near = near or [choice for choice in lowered if name.lower() in choice.split("-")][:1]
    return f"did you mean {lowered[near[0]]!r}? " if near else ""


def plain_name(text: str, noun: str) -> str:
    """Return `text` if it can be a name everywhere: in a path, an image tag, a table."""
    if _PLAIN_NAME.fullmatch(text) is None:
        raise SpecError(
            f"{text[:80]!r} cannot be {noun}",
            "use up to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit",
        )
    return text
