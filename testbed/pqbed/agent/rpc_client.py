"""JSON lines between pqbed and an agent, seen from pqbed.

Request:  {"id": 1, "call": "fetch", "with": {...}}
Answers:  {"id": 1, "item": ...} any number of times, then {"id": 1, "done": ...} or
          {"id": 1, "error": {"kind": "HostError", "message": "...", "hint": "..."}}.
A request too long for one line of a guest's terminal goes in pieces, each confirmed before the next:
          {"id": 1, "part": "..."} answered by {"id": 1, "got": 3500}, and at last {"id": 1, "whole": true}.
A line that is no answer (a guest kernel's last words, a warning of Python) is kept for the error message.
"""

import collections
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pqbed import errors
from pqbed.spec.codec import from_json, to_json

T = TypeVar("T")
KEPT_LINES = 20
# A Linux terminal holds 4,096 bytes (N_TTY_BUF_SIZE); JSON may double a piece's quotes.
PIECE_CHARACTERS = 1800


class RpcClient:
    """Speaks to one agent. `write` takes a line with its end, `read` gives a line, or "" once the agent is gone."""

    def __init__(self, write: Callable[[str], None], read: Callable[[], str], name: str) -> None:
        self._write = write
        self._read = read
        self._name = name
        self._last_id = 0
        self._said: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)

    def call(self, name: str, kind: type[T], **parameters: object) -> T:
        """Call `name` and return its answer as a `kind`."""
        answers = self._answers(name, parameters)
        for _ in answers:
            raise errors.LaneError(f"{self._name} answered {name} with a stream")
        return from_json(kind, self._result)

    def secret_call(self, name: str, kind: type[T], **parameters: object) -> T:
        """Call `name` where a question or an answer holds keys: whatever goes wrong, nothing of them is told."""
        try:
            return self.call(name, kind, **parameters)
        except errors.PqbedError:
            raise errors.LaneError(f"{self._name} failed at {name}") from None
        finally:
            self._said.clear()

    def stream(self, name: str, kind: type[T], **parameters: object) -> Iterator[T]:
        """Call `name` and yield its items as they come."""
        for item in self._answers(name, parameters):
            yield from_json(kind, item)

    def wait_ready(self) -> None:
        """Wait for the agent's first line. Raises LaneError when it does not start."""
        self._next_answer(0)

    def _answers(self, name: str, parameters: dict[str, object]) -> Iterator[Any]:
        self._last_id += 1
        request = {"id": self._last_id, "call": name, "with": to_json(parameters)}
        try:
            self._send(json.dumps(request, separators=(",", ":")))
        except OSError as error:
            raise self._gone() from error
        while "item" in (answer := self._next_answer(self._last_id)):
            yield answer["item"]
        if "error" in answer:
            raise _rebuild(answer["error"])
        self._result = answer["done"]

    def _send(self, request: str) -> None:
        if len(request) <= PIECE_CHARACTERS:
            self._write(request + "\n")
            return
        for start in range(0, len(request), PIECE_CHARACTERS):
            part = {"id": self._last_id, "part": request[start : start + PIECE_CHARACTERS]}
            self._write(json.dumps(part) + "\n")
            self._next_answer(self._last_id)
        self._write(json.dumps({"id": self._last_id, "whole": True}) + "\n")

    def _next_answer(self, identity: int) -> dict[str, Any]:
        while line := self._read():
            try:
                answer = json.loads(line)
            except ValueError:
                answer = None
            if isinstance(answer, dict) and answer.get("id") == identity:
                return answer
            # An answer to an earlier call, which its caller left, is no news.
            if not isinstance(answer, dict):
                self._said.append(line.strip())
        raise self._gone()

    def _gone(self) -> errors.LaneError:
        said = " | ".join(line for line in self._said if line)
        return errors.LaneError(f"{self._name} stopped answering{': ' + said[-600:] if said else ''}")


def _rebuild(error: dict[str, str]) -> errors.PqbedError:
    kind = getattr(errors, error["kind"], errors.LaneError)
    if not (isinstance(kind, type) and issubclass(kind, errors.PqbedError)):
        kind = errors.LaneError
    return kind(error["message"], error["hint"])
