"""A run of a published study against what was published: verdicts and figures."""

from pqbed.report.facts import STUDY_FILE
from pqbed.reproduce.judge import Judged, judge_study
from pqbed.reproduce.published import Published, read_published
from pqbed.reproduce.results import Results, read_results
from pqbed.reproduce.stored import is_study, plan_study, planned_cells, read_study, study_to_toml
from pqbed.reproduce.verdict_text import tell_verdict
from pqbed.reproduce.write import Answer, write_study_report

__all__ = [
    "STUDY_FILE",
    "Answer",
    "Judged",
    "Published",
    "Results",
    "is_study",
    "judge_study",
    "plan_study",
    "planned_cells",
    "read_published",
    "read_results",
    "read_study",
    "study_to_toml",
    "tell_verdict",
    "write_study_report",
]
