"""CPU contention during a run as text."""

from collections.abc import Iterable

from pqbed.stats.cpu_contention import ContentionCount
from pqbed.store.manifest import Pressure

_PPM_PER_PCT = 10_000


def describe_contention(count: ContentionCount) -> list[str]:
    """Return the caveat as a list; empty without contention."""
    sentence = count.sentence()
    return [f"{sentence}: their times may be too long."] if sentence else []


def describe_pressures(pressures: Iterable[Pressure], clock: str) -> str:
    """Return the contention for each time that the run was worked on; empty if the host does not report it."""
    texts = [text for text in map(_describe, pressures) if text]
    if not texts:
        return ""
    return "; then ".join(texts) + (" (no effect in virtual time)" if clock == "virtual" else "")


def _describe(pressure: Pressure) -> str:
    parts = (
        (pressure.cpu_pressure_ppm, "of the time a task waited for a CPU"),
        (pressure.cpu_steal_ppm, "of the CPUs stolen"),
        (pressure.cpu_throttled_ppm, "of the time throttled"),
    )
    return ", ".join(f"{share / _PPM_PER_PCT:.1f}% {what}" for share, what in parts if share is not None)
