"""Outcome of a completed fetch: the same judgement for every client."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pqbed.fetch.fetch_request import FetchRequest
from pqbed.fetch.tcp_info import NO_TCP_INFO, TcpInfo
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.sample import Outcome, Timings
from pqbed.spec.workload import Http
from pqbed.tls.group_names import canonical_group

_SESSIONS: dict[str, ConnectionKind] = {".": "full", "r": "resumed", "r1": "early"}


def judge(
    request: FetchRequest,
    status: int | None,
    body_bytes: int,
    groups: Sequence[str | None],
    *,
    connections: Mapping[str, ConnectionKind | None] = MappingProxyType({}),
    retried: bool | None = None,
    http: Http | None = "1.1",
    info: TcpInfo = NO_TCP_INFO,
) -> tuple[Outcome, str]:
    """Return the outcome of a fetch that ended without an error, and why it is not `ok`.

    `groups` holds the negotiated group as each side reports it; None for a side that should report one and does not.
    `connections` holds the kind of connection in the same way, by the side. `retried`: whether the client was asked for
    another hello; None where it could not be (RFC 8446, 4.1.4: not by who offers one group with its share).
    `http` is the version of the response. `info` is that of the client's socket.
    """
    if status != 200:
        return "short_body", f"the server answered with status {status}"
    if body_bytes != request.size_bytes:
        return "short_body", f"{body_bytes} of {request.size_bytes} bytes"
    if wrong := _wrong_group(request, groups, retried=retried):
        return "wrong_group", wrong
    if wrong := _wrong_connection(request, connections, http, info):
        return "wrong_connection", wrong
    return "ok", ""


def _wrong_connection(
    request: FetchRequest, connections: Mapping[str, ConnectionKind | None], http: Http | None, info: TcpInfo
) -> str:
    """Return why the connection was not as asked; "" if it was."""
    if http != request.http:
        return f"asked for HTTP/{request.http}, the response came by HTTP/{http}"
    for side, kind in connections.items():
        if kind != request.connection.kind:
            said = "says nothing" if kind is None else f"says {kind}"
            return f"asked for {request.connection.kind}, the {side} {said}"
    # After a loss of the SYN the client sends another one, without data.
    if request.fast_open and info.syn_data is False and not info.retransmits:
        return "asked for TCP Fast Open, the server took no data of the SYN"
    return ""


def _wrong_group(request: FetchRequest, groups: Sequence[str | None], *, retried: bool | None) -> str:
    """Return why the group was not negotiated as asked; "" if it was."""
    for group in groups:
        if group is None or not _is_asked(group, request):
            return f"asked for {request.group}, the server says {group}"
    if retried is None or retried == request.retries:
        return ""
    if retried:
        return "the server asked for another hello (HelloRetryRequest)"
    return f"no HelloRetryRequest came, so the first hello had a key share of {request.group}"


def failed_before(timings: Timings, what: str) -> Timings:
    """Return the sample of a fetch whose connection could not be had, since `what` came before it and failed."""
    detail = f"the {what} before it failed: {timings.outcome} {timings.detail}".rstrip()
    return Timings(outcome="wrong_connection", detail=detail)


def read_group_header(text: str | None) -> tuple[str | None, ConnectionKind | None]:
    """Return the group that a server names in its header, and the kind of connection if it gives tickets.

    Behind the group, `.` stands for a full handshake, `r` for a resumed session, and `r1` for one with early data.
    """
    group, _, session = (text or "").partition(" ")
    return canonical_group(group) if group else None, _SESSIONS.get(session.strip())


def session_word_bytes(kind: ConnectionKind) -> int:
    """Return how much longer that header is where it says that the connection was of this kind."""
    return next(1 + len(word) for word, known in _SESSIONS.items() if known == kind)


def _is_asked(group: str, request: FetchRequest) -> bool:
    """Return whether a group is the requested one. A group of no standard is known only by its codepoint."""
    if canonical_group(group) == canonical_group(request.group):
        return True
    return group.lower().startswith("0x") and int(group, 16) == request.group_id
