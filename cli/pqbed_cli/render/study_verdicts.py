"""The verdict table: every published number, ours beside it, and whether they are the same."""

import math
from collections import Counter
from typing import Any

from pqbed.report.verdict_rows import Verdict
from pqbed.reproduce import Answer, ClaimResult
from pqbed.spec.json_codec import to_json
from pqbed.spec.study import Study
from pqbed.stats.bootstrap_estimates import BootstrapEstimate
from pqbed_cli.flags import Form
from pqbed_cli.render.below_floor import floor_lines
from pqbed_cli.render.streams import beside, note, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import StudyResult

_COLUMNS = ("claim", "published", "band", "ours", "95% interval", "network", "CPU", "verdict")


def print_study(result: StudyResult, form: Form) -> None:
    """Print the verdicts and the path of the report; if the run was interrupted, how to resume it."""
    if form == "json":
        print_json(_to_program(result))
    else:
        _print_verdicts(result, form)
    for line in floor_lines(result.below_floor):
        note(line)
    if result.interruption:
        note(result.interruption)


def _print_verdicts(result: StudyResult, form: Form) -> None:
    answer, say = result.answer, beside(form)
    if not answer.verdicts:
        say("no sample was taken")
    else:
        print_tables([verdict_table(result.study, answer, result.kernel)], form)
        say("")
        for why, names in _reasons(answer).items():
            say(f"{'; '.join(names)}: {why}")
    say(f"\n{count_standings(answer.verdicts)}\nreport: {answer.written.page}\nrun: {result.path}")


def _to_program(result: StudyResult) -> dict[str, Any]:
    answer = result.answer
    verdicts = [_result_json(claim, verdict) for claim, verdict in zip(answer.claims, answer.verdicts, strict=True)]
    report = str(answer.written.page)
    return {"run": str(result.path), "study": result.study.name, "report": report, "verdicts": verdicts}


def verdict_table(study: Study, answer: Answer, kernel: str = "") -> Table:
    """Return one row per number, by the short name of its claim. A `kernel` is named above them."""
    rows = tuple(
        (claim.claim.name, *_columns_of(verdict)) for claim, verdict in zip(answer.claims, answer.verdicts, strict=True)
    )
    title = f"{study.title}; on kernel {kernel}" if kernel else study.title
    return Table(title=title, columns=_COLUMNS, rows=rows, numeric=(1, 3, 5, 6))


def _columns_of(verdict: Verdict) -> tuple[str, ...]:
    measured = (verdict.ours, verdict.interval, verdict.network, verdict.cpu)
    return (verdict.published, verdict.band, *measured, verdict.standing)


def count_standings(verdicts: tuple[Verdict, ...]) -> str:
    """Return `31 inside, 12 outside, 4 not measured`."""
    counts = Counter(verdict.standing for verdict in verdicts)
    return ", ".join(f"{counts[name]} {name}" for name in ("inside", "outside", "not measured"))


def _reasons(answer: Answer) -> dict[str, list[str]]:
    """Return the claims that each reason is given for."""
    reasons: dict[str, list[str]] = {}
    for claim, verdict in zip(answer.claims, answer.verdicts, strict=True):
        if verdict.why:
            reasons.setdefault(verdict.why, []).append(claim.claim.name)
    return reasons


def _result_json(result: ClaimResult, verdict: Verdict) -> dict[str, Any]:
    return {
        "claim": to_json(result.claim),
        "published": to_json(result.published),
        "unit": result.unit,
        "ours": _estimate_json(result.ours),
        "network": _estimate_json(result.network),
        "cpu_ms": result.cpu_ms,
        "standing": result.standing,
        "why": verdict.why,
    }


def _estimate_json(estimate: BootstrapEstimate | None) -> dict[str, Any] | None:
    if estimate is None or not math.isfinite(estimate.point):
        return None
    return {"value": estimate.point, "interval": estimate.interval}
