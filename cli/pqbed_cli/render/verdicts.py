"""The verdict table: every published number, ours beside it, and whether they are the same."""

import math
from collections import Counter
from typing import Any

from pqbed.report.verdict import Verdict
from pqbed.reproduce import Answer, ClaimResult
from pqbed.spec.codec import to_json
from pqbed.spec.study import Study
from pqbed.stats.estimates import BootstrapEstimate
from pqbed.store.run import Run
from pqbed_cli.render.output import print_json, say
from pqbed_cli.render.table import Table, print_tables

_COLUMNS = ("", "published", "band", "ours", "95 % interval", "network", "CPU", "verdict")


def print_answer(run: Run, study: Study, answer: Answer, *, json_output: bool) -> None:
    """Print the verdicts and where the report lies."""
    if json_output:
        judged = [_result_json(one, verdict) for one, verdict in zip(answer.claims, answer.verdicts, strict=True)]
        print_json({"run": str(run.path), "study": study.name, "report": str(answer.written.page), "verdicts": judged})
        return
    if not answer.verdicts:
        say("no sample was taken")
    else:
        print_tables([verdict_table(study, answer)])
        say("")
        for why, names in _reasons(answer).items():
            say(f"{'; '.join(names)}: {why}")
    say(f"\n{count_standings(answer.verdicts)}\nreport: {answer.written.page}\nrun: {run.path}")


def verdict_table(study: Study, answer: Answer) -> Table:
    """Return one row a number, by the short name of its claim."""
    rows = tuple(
        (judged.claim.name, one.published, one.band, one.ours, one.interval, one.network, one.cpu, one.standing)
        for judged, one in zip(answer.claims, answer.verdicts, strict=True)
    )
    return Table(title=study.title, columns=_COLUMNS, rows=rows, numeric=(1, 3, 5, 6))


def count_standings(verdicts: tuple[Verdict, ...]) -> str:
    """Return `31 inside, 12 outside, 4 not measured`."""
    counts = Counter(verdict.standing for verdict in verdicts)
    return ", ".join(f"{counts[name]} {name}" for name in ("inside", "outside", "not measured"))


def _reasons(answer: Answer) -> dict[str, list[str]]:
    """Return the claims that each reason is given for."""
    found: dict[str, list[str]] = {}
    for judged, verdict in zip(answer.claims, answer.verdicts, strict=True):
        if verdict.why:
            found.setdefault(verdict.why, []).append(judged.claim.name)
    return found


def _result_json(judged: ClaimResult, verdict: Verdict) -> dict[str, Any]:
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


def _estimate_json(estimate: BootstrapEstimate | None) -> dict[str, Any] | None:
    if estimate is None or not math.isfinite(estimate.point):
        return None
    return {"value": estimate.point, "interval": estimate.interval}
