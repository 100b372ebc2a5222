"""Report of a run of a study: its verdicts, and the study's own figures."""

from collections.abc import Mapping
from typing import Any

from pqbed.report.verdict_rows import Verdict, write_verdicts
from pqbed.report.write_report import write_report
from pqbed.reproduce.answer import Answer
from pqbed.reproduce.judge_claims import ClaimResult, evaluate_claims
from pqbed.reproduce.measured_results import read_results
from pqbed.reproduce.published_numbers import read_published
from pqbed.reproduce.study_figures import draw_study
from pqbed.reproduce.verdict_text import describe_result, list_caveats, verdict_row
from pqbed.spec.study import Study
from pqbed.store.run_directory import Run


def write_study_report(run: Run, study: Study) -> Answer:
    """Evaluate the claims of `run`, finished or not; store the verdicts with it and write its report."""
    claims, verdicts, content = study_content(run, study)
    if content:
        write_verdicts(run.path, verdicts)
    return Answer(claims=claims, verdicts=verdicts, written=write_report(run, **content))


def study_content(run: Run, study: Study) -> tuple[tuple[ClaimResult, ...], tuple[Verdict, ...], Mapping[str, Any]]:
    """Return the claims of `run` evaluated, the verdicts, and what its report says otherwise than that of a sweep."""
    published = read_published(study.published)
    results = read_results(run, study)
    if results is None:
        return (), (), {}
    claims = evaluate_claims(results, published)
    content = {
        "draw": lambda _measured: draw_study(results, published),
        "answer": describe_result(results, claims),
        "caveats": list_caveats(results),
    }
    return claims, tuple(verdict_row(result, results.no_cpu) for result in claims), content
