"""Judge a run of a study and write its report: the verdict table and the study's own figures."""

from dataclasses import dataclass

from pqbed.report.verdict import Verdict, write_verdicts
from pqbed.report.write import Written, write_report
from pqbed.reproduce.figures import draw_study
from pqbed.reproduce.judge import Judged, judge_study
from pqbed.reproduce.published import read_published
from pqbed.reproduce.results import read_results
from pqbed.reproduce.verdict_text import tell_answer, tell_caveats, tell_verdict
from pqbed.spec.study import Study
from pqbed.store.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a run of a study says: judgements, the same as texts, and where its report lies."""

    judged: tuple[Judged, ...]
    verdicts: tuple[Verdict, ...]
    written: Written


def write_study_report(run: Run, study: Study) -> Answer:
    """Judge `run`, finished or not; keep the verdicts with it and write its report."""
    published = read_published(study.published)
    results = read_results(run, study)
    if results is None:
        return Answer(judged=(), verdicts=(), written=write_report(run))
    judged = judge_study(results, published)
    verdicts = tuple(tell_verdict(one, results.no_cpu) for one in judged)
    write_verdicts(run.path, verdicts)
    written = write_report(
        run,
        draw=lambda _measured: draw_study(results, published),
        answer=tell_answer(results, judged),
        caveats=tell_caveats(results),
    )
    return Answer(judged=judged, verdicts=verdicts, written=written)
