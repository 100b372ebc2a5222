"""Answer of a study's run: its claims, judged, and the files of its report.

Apart from what draws it, which is slow to load.
"""

from dataclasses import dataclass

from pqbed.report.verdict_rows import Verdict
from pqbed.report.written_files import Written
from pqbed.reproduce.judge_claims import ClaimResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Results per claim, the same as text, and the files of the report."""

    claims: tuple[ClaimResult, ...]
    verdicts: tuple[Verdict, ...]
    written: Written
