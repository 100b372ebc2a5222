"""What else wanted the host's CPUs while a run was measured, in words."""

from collections.abc import Iterable

from pqbed.stats.pressure import ContentionCount
from pqbed.store.manifest import Pressure

_PPM_PER_PCT = 10_000


def tell_pressed(count: ContentionCount) -> list[str]:
    """Return the caveat, or none."""
    sentence = count.sentence()
    return [f"{sentence}: others wanted the host's CPUs, so their times may be too long."] if sentence else []


def tell_pressures(pressures: Iterable[Pressure], clock: str) -> str:
    """Return how much others wanted the CPUs, each time the run was worked on; empty where the host does not tell."""
    told = [text for text in map(_tell, pressures) if text]
    if not told:
        return ""
    return "; then ".join(told) + (" (it cannot change a result in virtual time)" if clock == "virtual" else "")


def _tell(pressure: Pressure) -> str:
    parts = (
        (pressure.cpu_pressure_ppm, "of the time some task waited for a CPU"),
        (pressure.cpu_steal_ppm, "of the CPUs stolen"),
        (pressure.cpu_throttled_ppm, "of the time throttled"),
    )
    return ", ".join(f"{share / _PPM_PER_PCT:.1f} % {what}" for share, what in parts if share is not None)
