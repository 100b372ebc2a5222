"""Verdicts as a Markdown table, for the summary of a CI job."""

from collections.abc import Sequence

from pqbed.gate.threshold_verdict import ThresholdVerdict, breaks_gate


def to_markdown(verdicts: Sequence[ThresholdVerdict], title: str) -> str:
    """Return a heading, a sentence and a table, what breaks the gate first."""
    ordered = sorted(verdicts, key=lambda verdict: not breaks_gate([verdict]))
    broken = sum(breaks_gate([verdict]) for verdict in verdicts)
    lines = [
        f"### pqbed: {title}",
        "",
        f"{broken} of {len(verdicts)} checks failed." if broken else f"All {len(verdicts)} checks passed.",
        "",
        "| | threshold | profile | conditions | measured |",
        "| -- | -- | -- | -- | -- |",
        *(
            f"| {_cell(verdict.status)} | `{_cell(verdict.threshold.text)}` | {_cell(verdict.profile)} "
            f"| {_cell(verdict.where)} | {_cell(verdict.measured)} |"
            for verdict in ordered
        ),
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
