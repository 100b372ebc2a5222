"""Outcome of a completed fetch: the same judgement for every client."""

from collections.abc import Sequence

from pqbed.fetch.fetch_request import FetchRequest
from pqbed.spec.sample import Outcome
from pqbed.tls.group_names import canonical_group


def judge(
    request: FetchRequest, status: int | None, body_bytes: int, groups: Sequence[str | None]
) -> tuple[Outcome, str]:
    """Return the outcome of a fetch that ended without an error, and why it is not `ok`.

    `groups` holds the negotiated group as each side reports it; None for a side that should report one and does not.
    """
    if status != 200:
        return "short_body", f"the server answered with status {status}"
    if body_bytes != request.size_bytes:
        return "short_body", f"{body_bytes} of {request.size_bytes} bytes"
    for group in groups:
        if group is None or not _is_asked(group, request):
            return "wrong_group", f"asked for {request.group}, the server says {group}"
    return "ok", ""


def _is_asked(group: str, request: FetchRequest) -> bool:
    """Return whether a group is the requested one. A group of no standard is known only by its codepoint."""
    if canonical_group(group) == canonical_group(request.group):
        return True
    return group.lower().startswith("0x") and int(group, 16) == request.group_id
