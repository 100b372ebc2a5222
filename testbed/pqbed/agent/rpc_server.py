"""JSON lines, seen from the agent: requests in, answers out (see rpc_client.py), one at a time."""

import inspect
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TextIO, get_type_hints

from pqbed.errors import PqbedError
from pqbed.spec.codec import from_json, to_json

Calls = dict[str, Callable[..., Any]]


def serve(calls: Calls, lines: TextIO = sys.stdin, answers: TextIO = sys.stdout) -> None:
    """Say ready, then answer requests until the input ends."""
    _say(answers, {"id": 0, "done": None})
    for request in _requests(lines, answers):
        identity = request["id"]
        try:
            result = _perform(calls[request["call"]], request["with"])
            if isinstance(result, Iterator):
                for item in result:
                    _say(answers, {"id": identity, "item": to_json(item)})
                result = None
        except PqbedError as error:
            _say_error(answers, identity, type(error).__name__, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - the other side must hear of it, whatever it is
            where = traceback.format_exc(limit=-3)
            _say_error(answers, identity, "LaneError", f"the agent failed: {error!r}", where)
        else:
            _say(answers, {"id": identity, "done": to_json(result)})


def _requests(lines: TextIO, answers: TextIO) -> Iterator[dict[str, Any]]:
    parts: list[str] = []
    for line in lines:
        request = json.loads(line)
        if "part" in request:
            parts.append(request["part"])
            _say(answers, {"id": request["id"], "got": len(request["part"])})
        elif "whole" in request:
            whole, parts = "".join(parts), []
            yield json.loads(whole)
        else:
            yield request


def _perform(call: Callable[..., Any], given: dict[str, Any]) -> Any:
    hints = get_type_hints(call)
    names = inspect.signature(call).parameters
    return call(**{name: from_json(hints[name], given[name]) for name in names if name in given})


def _say_error(answers: TextIO, identity: int, kind: str, message: str, hint: str) -> None:
    _say(answers, {"id": identity, "error": {"kind": kind, "message": message, "hint": hint}})


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer, separators=(",", ":")) + "\n")
    answers.flush()
