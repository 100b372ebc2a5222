"""RPC client: calls to an agent as JSON lines over a pair of streams.

Request:  {"id": 1, "call": "StackClient.fetch", "with": {...}}
Answers:  {"id": 1, "item": ...} any number of times, then {"id": 1, "done": ...} or
          {"id": 1, "error": {"kind": "HostError", "message": "...", "hint": "..."}}.
The agent's first line is the answer to id 0: ready, or the error that kept it from starting. An answer with id null
holds the error of a line that was not a request.
A request too long for one line of a guest's terminal goes in parts, each confirmed before the next:
          {"id": 1, "part": "..."} answered by {"id": 1, "got": 1800}, and at last {"id": 1, "whole": true}.
A line that is no answer (a guest kernel's last message, a warning of Python) is kept for the error message.
"""

import collections
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pqbed import errors

KEPT_LINES = 20
# A Linux terminal holds 4,096 bytes (N_TTY_BUF_SIZE); JSON may double a part's quotes.
PART_CHARACTERS = 1800


class RpcClient:
    """Calls one agent. `write` takes a line with its newline, `read` returns one, or "" once the agent is gone."""

    def __init__(self, write: Callable[[str], object], read: Callable[[], str], name: str) -> None:
        self._write = write
        self._read = read
        self._name = name
        self._last_id = 0
        self._other_lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)

    def wait_ready(self) -> None:
        """Wait for the agent's first line. Raises LaneError if it does not come, or the error it holds."""
        self._next_answer(0)

    def call(self, name: str, parameters: dict[str, Any]) -> Any:
        """Call `name` and return its result. Raises LaneGoneError when the agent is gone, and what it raised."""
        answer = self._request(name, parameters)
        if "done" not in answer:
            raise errors.LaneError(f"{self._name} answered {name} with a stream")
        return answer["done"]

    def stream(self, name: str, parameters: dict[str, Any]) -> Iterator[Any]:
        """Call `name` and yield its items as they arrive. Raises as `call` does."""
        answer = self._request(name, parameters)
        while "item" in answer:
            yield answer["item"]
            answer = self._next_answer(answer["id"])

    def has_said(self, text: str) -> bool:
        """Return whether one of the last lines that are no answers has `text` in it."""
        return any(text in line for line in self._other_lines)

    @contextmanager
    def concealing(self, name: str) -> Iterator[None]:
        """Within this context keys are sent or received: raise errors without their text, and keep no lines."""
        try:
            yield
        except errors.PqbedError:
            raise errors.LaneError(f"{self._name} failed at {name}") from None
        finally:
            self._other_lines.clear()

    def _request(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the first answer to it."""
        self._last_id += 1
        request = {"id": self._last_id, "call": name, "with": parameters}
        try:
            self._send(json.dumps(request, separators=(",", ":")))
        except OSError as error:
            raise self._gone() from error
        return self._next_answer(self._last_id)

    def _send(self, request: str) -> None:
        if len(request) <= PART_CHARACTERS:
            self._write(request + "\n")
            return
        for start in range(0, len(request), PART_CHARACTERS):
            part = {"id": self._last_id, "part": request[start : start + PART_CHARACTERS]}
            self._write(json.dumps(part) + "\n")
            self._next_answer(self._last_id)
        self._write(json.dumps({"id": self._last_id, "whole": True}) + "\n")

    def _next_answer(self, request_id: int) -> dict[str, Any]:
        """Return the next answer to a request. Raises the error that it holds, or LaneGoneError."""
        while line := self._read_line():
            try:
                answer = json.loads(line)
            except ValueError:
                answer = None
            if not isinstance(answer, dict):
                self._other_lines.append(line.strip())
            elif answer.get("id", -1) in (request_id, None):
                if "error" in answer:
                    raise _rebuild(answer["error"])
                return answer
            # Otherwise it is an answer to an earlier call, whose caller has left.
        raise self._gone()

    def _read_line(self) -> str:
        try:
            return self._read()
        except errors.LaneError as error:  # silence
            raise errors.LaneGoneError(error.message, error.hint) from error

    def _gone(self) -> errors.LaneGoneError:
        lines = " | ".join(line for line in self._other_lines if line)
        return errors.LaneGoneError(f"{self._name} stopped answering{': ' + lines[-600:] if lines else ''}")


def _rebuild(error: dict[str, str]) -> errors.PqbedError:
    kind = getattr(errors, error["kind"], errors.LaneError)
    if not (isinstance(kind, type) and issubclass(kind, errors.PqbedError)):
        kind = errors.LaneError
    return kind(error["message"], error["hint"])
