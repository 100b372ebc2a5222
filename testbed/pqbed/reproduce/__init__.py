"""Reproduction of a published study: verdicts on its claims, and its figures."""

from pqbed.report.run_facts import STUDY_FILE
from pqbed.reproduce.answer import Answer
from pqbed.reproduce.judge_claims import ClaimResult, evaluate_claims
from pqbed.reproduce.measured_results import Results, read_results
from pqbed.reproduce.published_numbers import Published, read_published
from pqbed.reproduce.stored_plan import is_study, plan_study, planned_cells, read_study, study_hash, study_to_toml
from pqbed.reproduce.verdict_text import verdict_row

__all__ = [
    "STUDY_FILE",
    "Answer",
    "ClaimResult",
    "Published",
    "Results",
    "evaluate_claims",
    "is_study",
    "plan_study",
    "planned_cells",
    "read_published",
    "read_results",
    "read_study",
    "study_hash",
    "study_to_toml",
    "verdict_row",
]
