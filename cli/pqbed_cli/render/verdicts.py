"""The verdict table: every published number, ours beside it, and whether they are the same."""

import math
from collections import Counter
from typing import Any

from pqbed.report.verdict import Verdict
from pqbed.reproduce import Answer, Judged
from pqbed.spec.codec import to_json
from pqbed.spec.study import Study
from pqbed.stats.estimates import Estimate
from pqbed_cli.render.floor import floor_lines
from pqbed_cli.render.output import echo, note, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.results import StudyResult

_COLUMNS = ("", "published", "band", "ours", "95% interval", "network", "CPU", "verdict")


def print_study(result: StudyResult, *, json_output: bool) -> None:
    """Print the verdicts and the path of the report; if the run was interrupted, how to resume it."""
    if json_output:
        print_json(_to_program(result))
    else:
        _print_verdicts(result)
    for line in floor_lines(result.below_floor):
        note(line)
    if result.interruption:
        note(result.interruption)


def _print_verdicts(result: StudyResult) -> None:
    answer = result.answer
    if not answer.verdicts:
        echo("no sample was taken")
    else:
        print_tables([verdict_table(result.study, answer)])
        echo()
        for why, names in _reasons(answer).items():
            echo(f"{'; '.join(names)}: {why}")
    echo(f"\n{count_standings(answer.verdicts)}\nreport: {answer.written.page}\nrun: {result.path}")


def _to_program(result: StudyResult) -> dict[str, Any]:
    answer = result.answer
    verdicts = [_judged_json(judged, verdict) for judged, verdict in zip(answer.judged, answer.verdicts, strict=True)]
    report = str(answer.written.page)
    return {"run": str(result.path), "study": result.study.name, "report": report, "verdicts": verdicts}


def verdict_table(study: Study, answer: Answer) -> Table:
    """Return one row per number, by the short name of its claim."""
    rows = tuple(
        (judged.claim.name, *_columns_of(verdict))
        for judged, verdict in zip(answer.judged, answer.verdicts, strict=True)
    )
    return Table(title=study.title, columns=_COLUMNS, rows=rows, numeric=(1, 3, 5, 6))


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
    for judged, verdict in zip(answer.judged, answer.verdicts, strict=True):
        if verdict.why:
            reasons.setdefault(verdict.why, []).append(judged.claim.name)
    return reasons


def _judged_json(judged: Judged, verdict: Verdict) -> dict[str, Any]:
    return {
        "claim": to_json(judged.claim),
        "published": to_json(judged.published),
        "unit": judged.unit,
        "ours": _estimate_json(judged.ours),
        "network": _estimate_json(judged.network),
        "cpu_ms": judged.cpu_ms,
        "standing": judged.standing,
        "why": verdict.why,
    }


def _estimate_json(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None or not math.isfinite(estimate.point):
        return None
    return {"value": estimate.point, "interval": estimate.interval}
