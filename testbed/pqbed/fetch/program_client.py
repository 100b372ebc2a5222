"""Client that runs a program of its stack: questions and answers as JSON lines (docs/reference/stacks.md).

One process for all fetches of a lane. It times the connection itself; its answers are judged as for every client.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pqbed.errors import HostError, LaneError
from pqbed.fetch.fetch_outcome import judge, read_group_header
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.fetch.key_log import KEY_LOG_VARIABLE
from pqbed.fetch.tcp_info import TcpInfo, unpack_tcp_info
from pqbed.spec.connection import FULL, KINDS, Connection, ConnectionKind
from pqbed.spec.json_codec import from_json
from pqbed.spec.sample import Outcome, Timings
from pqbed.spec.stacks import Stack
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.group_names import GROUP_HEADER, canonical_group, group_codepoint
from pqbed.tls.stack_support import probe_support


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The program's answer to a fetch. Times in ns from the start of the connection; 0 and "": not reached, not known.

    `group` is as the client reports it, `server_group` as the response does; `retried`: there was a HelloRetryRequest.
    `hello_retry_ns` is when that was there. `connection` is the kind that the client saw, for any but a full one.
    `tcp_info` is the kernel's struct in hexadecimal.
    """

    outcome: Outcome
    detail: str = ""
    tcp_connect_ns: int = 0
    tls_done_ns: int = 0
    first_byte_ns: int = 0
    last_byte_ns: int = 0
    body_bytes: int = 0
    http_status: int = 0
    group: str = ""
    server_group: str = ""
    retried: bool = False
    hello_retry_ns: int = 0
    connection: str = ""
    tcp_info: str = field(default="", repr=False)


class ProgramClient:
    """Owns the client program of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._credentials: dict[str, Credentials] = {}
        self._process: subprocess.Popen[str] | None = None
        self._key_log: tempfile._TemporaryFileWrapper[bytes] | None = None

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        """Keep the credentials that requests of mutual profiles name."""
        self._credentials = {credential.profile: credential for credential in credentials}

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch. A failure is a result, not an exception."""
        if request.http != "1.1":
            return Timings(outcome="unsupported", detail=f"this client does not speak HTTP/{request.http}")
        return self._do("fetch", request, request.connection)

    def prime(self, request: FetchRequest) -> Timings:
        """Do the fetch whose ticket the next one, `request`, resumes, and close its connection."""
        timings = self._do("prime", request, FULL)
        self.release()
        return timings

    def _do(self, call: str, request: FetchRequest, expected: Connection) -> Timings:
        answer = from_json(Fetched, self._ask({"call": call, **self._question(request)}))
        outcome, detail = answer.outcome, answer.detail
        server_group, session = read_group_header(answer.server_group)
        if outcome == "ok":
            groups = (answer.group or None, server_group)
            seen = _seen(expected.kind, answer, session)
            asked = replace(request, connection=expected)
            outcome, detail = judge(
                asked, answer.http_status, answer.body_bytes, groups, connections=seen, retried=answer.retried
            )
        return _timings(request, answer, outcome, detail)

    def release(self) -> None:
        """Reset the connection of the last fetch."""
        if self._process is not None:
            self._ask({"call": "release"})

    def log_keys(self) -> None:
        """Log the secrets of every connection from now on, by a new process and in a new file."""
        self._end()
        self._key_log = tempfile.NamedTemporaryFile(prefix="keys-")  # noqa: SIM115 - it ends with `take_keys`

    def take_keys(self) -> str:
        """Return the log in the NSS format and remove it; the next process logs nothing."""
        self._end()
        key_log, self._key_log = self._key_log, None
        if key_log is None:
            return ""
        with key_log:
            return key_log.read().decode()

    def version(self) -> str:
        """Return the version of the stack's library."""
        return probe_support(self._stack).version

    def _question(self, request: FetchRequest) -> dict[str, object]:
        credentials = self._credentials.get(request.credentials)
        return {
            "address": request.address,
            "port": request.port,
            "server_name": request.server_name,
            "size_bytes": request.size_bytes,
            "group_id": request.group_id or group_codepoint(request.group),
            "root_pem": request.root_pem,
            "chain_pem": credentials.chain_pem if credentials else "",
            "key_pem": credentials.key_pem if credentials else "",
            "timeout_ns": request.timeout_ns,
            "header": GROUP_HEADER,
            "connection": request.connection.kind,
            "idle_ns": request.connection.idle_ns,
            **_lists(request),
        }

    def _ask(self, question: dict[str, object]) -> Any:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            # The question may hold keys, so nothing of it is reported.
            raise LaneError(f"the client of {self._stack.name} ended in a fetch (exit code {process.wait()})")
        return json.loads(line)

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            command = (*self._stack.program, "client")
            environment = {name: value for name, value in os.environ.items() if name != KEY_LOG_VARIABLE}
            if self._key_log is not None:
                environment[KEY_LOG_VARIABLE] = self._key_log.name
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
                )
            except OSError as error:
                raise HostError(f"the client of {self._stack.name} does not start: {error}") from error
        return self._process

    def _end(self) -> None:
        """End the process with its input; the next fetch starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate()


def _lists(request: FetchRequest) -> dict[str, object]:
    """Return what is asked only of programs that offer several groups."""
    if len(request.groups) < 2:
        return {}
    names = {"group_ids": request.groups, "share_ids": request.shares}
    return {key: [group_codepoint(name) for name in listed] for key, listed in names.items()}


def _seen(asked: ConnectionKind, answer: Fetched, session: ConnectionKind | None) -> dict[str, ConnectionKind | None]:
    """Return what kind of connection it was, by who says so: nobody of a full one, where there are no sessions."""
    if asked == "full":
        return {}
    client = next((kind for kind in KINDS if kind == answer.connection), None)
    return {"client": client} if asked == "reused" else {"client": client, "server": session}


def _timings(request: FetchRequest, answer: Fetched, outcome: Outcome, detail: str) -> Timings:
    info = unpack_tcp_info(bytes.fromhex(answer.tcp_info)) if answer.tcp_info else TcpInfo()
    group = answer.group or read_group_header(answer.server_group)[0]
    return Timings(
        outcome=outcome,
        detail=detail,
        tcp_connect_ns=answer.tcp_connect_ns or None,
        tls_done_ns=answer.tls_done_ns or None,
        first_byte_ns=answer.first_byte_ns or None,
        last_byte_ns=answer.last_byte_ns if outcome in ("ok", "wrong_group") else None,
        body_bytes=answer.body_bytes,
        http_status=answer.http_status or None,
        group=canonical_group(group) if group else None,
        signature=request.signature if answer.tls_done_ns else None,
        retransmits=info.retransmits,
        lost=info.lost,
        tcp_rtt_ns=info.rtt_ns,
        cwnd=info.cwnd,
        hello_retry=answer.retried if len(request.groups) > 1 and answer.tls_done_ns else None,
        hello_retry_ns=answer.hello_retry_ns or None,
    )
