"""Guest kernels by their series: `6.12` is Debian's package linux-source-6.12."""

import re

from pqbed.errors import SpecError

# What the uml bed boots if no series is named, and the oldest whose netem takes a seed (TCA_NETEM_PRNG_SEED).
DEFAULT_KERNEL = "7.3"
OLDEST_KERNEL = (6, 6)
_SERIES = re.compile(r"(\d{1,3})\.(\d{1,3})")


def parse_kernel(text: str) -> str:
    """Return `text` as the series of a kernel: `6.12`. Raises SpecError."""
    match = _SERIES.fullmatch(text) if text.isascii() else None
    if match is None:
        raise SpecError(
            f"{text[:60]!r} is not a series of kernels", "name one of Debian's packages linux-source-*, as 6.12"
        )
    series = (int(match[1]), int(match[2]))
    if series < OLDEST_KERNEL:
        raise SpecError(f"kernel {text} is too old: its netem takes no seed", "name one from 6.6 on, as 6.12")
    return f"{series[0]}.{series[1]}"


def series_of(release: str) -> str:
    """Return the series of a kernel by its release: `6.12` of `6.12.118`; "" if it names none."""
    match = _SERIES.match(release)
    return match[0] if match else ""
