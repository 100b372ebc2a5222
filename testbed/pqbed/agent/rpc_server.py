"""RPC server: an agent's loop that reads requests from a stream of lines and writes answers (rpc_client.py)."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from pqbed.agent.rpc_dispatch import Calls
from pqbed.agent.rpc_methods import SKEW_HINT
from pqbed.errors import LaneError, PqbedError

READY_ID = 0
_TRACEBACK_FRAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The calls that an agent answers, and how it gives back what it holds."""

    calls: Calls
    close: Callable[[], object]


def serve(open_service: Callable[[], Service], lines: TextIO = sys.stdin, answers: TextIO = sys.stdout) -> None:
    """Open the service, say that it is ready, and answer requests until the input ends; then close it.

    A service that cannot be opened is answered too, in place of the line that says ready: with the error.
    """
    try:
        service = open_service()
    except Exception as error:  # noqa: BLE001 - the other side must learn of it, whatever it is
        _write(answers, _failure(READY_ID, error))
        return
    try:
        _write(answers, {"id": READY_ID, "done": None})
        for answer in _answers(service.calls, lines):
            _write(answers, answer)
    except BrokenPipeError:
        pass  # nobody is there to be answered: the same as the end of input
    finally:
        service.close()


def _answers(calls: Calls, lines: TextIO) -> Iterator[dict[str, Any]]:
    parts: list[str] = []
    for line in lines:
        if not line.endswith("\n"):
            return  # torn: whoever wrote it is gone
        try:
            request = json.loads(line)
            if "part" in request:
                parts.append(request["part"])
                yield {"id": request["id"], "got": len(request["part"])}
                continue
            if "whole" in request:
                whole, parts = "".join(parts), []
                request = json.loads(whole)
            request_id, name, parameters = request["id"], request["call"], request["with"]
        except (ValueError, TypeError, KeyError):
            # Not quoted: it may hold keys.
            yield _failure(None, LaneError("the agent received a line that is not a request"))
        else:
            yield from _perform(calls, request_id, name, parameters)


def _perform(calls: Calls, request_id: int, name: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        if name not in calls:
            raise LaneError(f"the agent has no call {name!r}", SKEW_HINT)  # noqa: TRY301 - answered like any other
        result = calls[name](parameters)
        if isinstance(result, Iterator):
            for item in result:
                yield {"id": request_id, "item": item}
            result = None
        yield {"id": request_id, "done": result}
    except Exception as error:  # noqa: BLE001 - the other side must learn of it, whatever it is
        yield _failure(request_id, error)


def _failure(request_id: int | None, error: Exception) -> dict[str, Any]:
    """Return the answer that carries `error`. One that is none of pqbed's own is a defect: its traceback goes along."""
    if isinstance(error, PqbedError):
        kind, message, hint = type(error).__name__, error.message, error.hint
    else:
        frames = "".join(traceback.format_exception(error, limit=-_TRACEBACK_FRAMES))
        kind, message, hint = (
            "LaneError",
            f"the agent failed: {error!r}",
            f"report this as a defect of pqbed:\n{frames}",
        )
    return {"id": request_id, "error": {"kind": kind, "message": message, "hint": hint}}


def _write(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer, separators=(",", ":")) + "\n")
    answers.flush()
