"""Verdicts as the workflow commands of GitHub Actions, which annotate a run."""

from collections.abc import Iterator, Sequence

from pqbed.gate.threshold_verdict import ThresholdVerdict, breaks_gate

# In the message and the properties of a workflow command.
_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_MORE_ESCAPES = {":": "%3A", ",": "%2C"}


def to_annotations(verdicts: Sequence[ThresholdVerdict]) -> Iterator[str]:
    """Yield an error for each verdict that breaks the gate, and a notice for each that is undecided."""
    for verdict in verdicts:
        if breaks_gate([verdict]) or verdict.status == "undecided":
            kind = "error" if breaks_gate([verdict]) else "notice"
            title = _escaped(f"pqbed: {verdict.threshold.text}", {**_ESCAPES, **_MORE_ESCAPES})
            message = f"{verdict.status}: {verdict.measured}, {verdict.profile}, {verdict.where}"
            yield f"::{kind} title={title}::{_escaped(message, _ESCAPES)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
