"""One line for an error of the Docker SDK: what the engine answered, or the operating system's own words.

requests and urllib3 bury those below their own, and an engine's answer may have several lines: of a firewall that it
cannot set, those of iptables.
"""

LONGEST = 400


def words_of(error: BaseException) -> str:
    """Return what went wrong, as one line."""
    answer = getattr(error, "explanation", None)  # of docker.errors.APIError
    if answer:
        return one_line(str(answer))
    pending: list[object] = [error]
    while pending:
        current = pending.pop()
        if isinstance(current, OSError) and current.strerror:
            return one_line(current.strerror)
        if isinstance(current, BaseException):
            pending.extend([current.__cause__, current.__context__, *current.args])
        elif isinstance(current, tuple):
            pending.extend(current)
    return one_line(str(error)) or type(error).__name__


def one_line(text: str) -> str:
    """Return a text without its line breaks, cut if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
