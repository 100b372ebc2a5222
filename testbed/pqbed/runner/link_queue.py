"""Queue of links to calibrate, shared by all lanes: one lane measures a link, the others wait for it."""

import threading
from collections.abc import Collection

_PAUSE_S = 0.2


class LinkQueue:
    """Links by id. Those in `done` are calibrated already."""

    def __init__(self, done: Collection[str] = ()) -> None:
        self._done = set(done)
        self._taken: set[str] = set()
        self._changed = threading.Condition()

    def take(self, among: Collection[str], stop: threading.Event) -> str | None:
        """Return a link of `among` for the caller to calibrate; None once all are done, or if `stop` is set.

        The caller must call `finish` or `give_back`.
        """
        with self._changed:
            while not stop.is_set():
                left = [link for link in among if link not in self._done]
                free = next((link for link in left if link not in self._taken), None)
                if free is not None:
                    self._taken.add(free)
                    return free
                if not left:
                    return None
                self._changed.wait(_PAUSE_S)
        return None

    def finish(self, link: str) -> None:
        with self._changed:
            self._done.add(link)
            self._changed.notify_all()

    def give_back(self, link: str) -> None:
        """Let another lane calibrate it, unless it is done."""
        with self._changed:
            self._taken.discard(link)
            self._changed.notify_all()
