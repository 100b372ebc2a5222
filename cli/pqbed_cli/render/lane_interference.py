"""The result of a lane check in one line."""

from pqbed.store.manifest import LaneCheck


def check_line(check: LaneCheck) -> str:
    last = next(trial for trial in check.trials if trial.lanes == check.asked)
    change = _change(last.p50_change_pct)
    if check.taken == check.asked:
        return f"lanes: {check.taken} do not slow each other down (p50 {change} compared with one alone)"
    return (
        f"lanes: {check.taken} of {check.asked}, because more slow each other down: with {check.asked} "
        f"p50 is {change} compared with one alone{_above(last.p90_ns, last.p90_alone_high_ns)}"
    )


def _change(percent: float | None) -> str:
    return "unknown" if percent is None else f"{percent:+.1f}%"


def _above(p90_ns: float | None, high_ns: float | None) -> str:
    if p90_ns is None or high_ns is None or p90_ns <= high_ns:
        return ""
    return f", p90 {100 * (p90_ns / high_ns - 1):.1f}% above its interval"
