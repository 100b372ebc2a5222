"""The `pqbed` command line, and the one place that prints errors and sets the exit code."""

import contextlib
import errno
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Annotated

import typer

from pqbed import __version__
from pqbed.address_space import require_address_space, share_one_arena
from pqbed.errors import PqbedError
from pqbed_cli import commands
from pqbed_cli.exits import HOST_UNFIT, INTERNAL, INTERRUPTED, USAGE
from pqbed_cli.render.streams import echo, note

# Typer before 0.29 depends on click, later versions have their own copy; this reaches the base class in both.
UsageError = typer.BadParameter.__mro__[1]

# The most characters of a message, and of its hint: they may quote what was typed, however long that is.
MOST_PRINTED = 900

app = typer.Typer(
    name="pqbed",
    help="Measure what post-quantum TLS 1.3 costs a connection, as time to last byte (TTLB).",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        echo(f"pqbed {__version__}")
        raise typer.Exit


@app.callback()
def pqbed(
    version: Annotated[  # noqa: ARG001 (its callback prints it)
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    require_address_space()
    share_one_arena()


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. This is the console entry."""
    try:
        with _as_interrupt(signal.SIGTERM), _as_interrupt(signal.SIGHUP):
            code = _command()(args=arguments, prog_name="pqbed", standalone_mode=False)
    except PqbedError as error:
        return _refuse(error.message, error.hint, error.exit_code, error.lines)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", "", INTERRUPTED)
    except BrokenPipeError:
        return _leave_quietly()
    except Exception as error:  # noqa: BLE001 (the last place before the user)
        return _other(error)
    return code if isinstance(code, int) else 0


@functools.cache
def _command() -> Callable[..., object]:
    return typer.main.get_command(app)


@contextlib.contextmanager
def _as_interrupt(number: signal.Signals) -> Iterator[None]:
    """Treat SIGTERM (kill, systemd, the stop of a container) or SIGHUP (a closed terminal) as Ctrl-C.

    The command ends cleanly and keeps what was measured. A signal that is ignored (nohup) stays ignored.
    """
    terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)] if number == signal.SIGHUP else []

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for descriptor in terminals:  # writing to one that is gone would be an error of its own
            _silence(descriptor)
        raise KeyboardInterrupt

    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        yield
        return
    signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)


def _other(error: Exception) -> int:
    """Print what is no error of pqbed's own: a wrong command line, a path that cannot be, or a defect."""
    if isinstance(error, UsageError):
        return _usage(error)
    if reason := _impossible_path(error):
        return _refuse(reason, "name another path", USAGE)
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        return _refuse("memory ran out, or threads did", "allow this process more (`ulimit -a`)", HOST_UNFIT)
    return _internal(error)


def _usage(error: Exception) -> int:
    """Print what Typer refuses: an unknown command or option, a missing argument."""
    if type(error).__name__ == "NoArgsIsHelpError":
        echo(str(error))
        return USAGE
    message = getattr(error, "format_message", error.__str__)().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "pqbed"
    return _refuse(message[:1].lower() + message[1:], f"see `{command} --help`", USAGE)


def _internal(error: Exception) -> int:
    """Print an internal error with its traceback: a defect of pqbed, not of the request."""
    sys.excepthook(type(error), error, error.__traceback__)
    return _refuse(
        f"internal error: {type(error).__name__}: {error}", "please report this with the lines above", INTERNAL
    )


def _impossible_path(error: Exception) -> str:
    """Return what is wrong with a path that no file system can have; "" if `error` is about something else."""
    if isinstance(error, OSError) and error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
        return f"{error.filename}: {(error.strerror or '').lower()}"
    return "a path holds a null character" if str(error) == "embedded null byte" else ""


def _one_line(text: str) -> str:
    """Return `text` with its middle left out if it quotes too much, and with what does not print as escapes."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return text if len(text) <= MOST_PRINTED else f"{text[: MOST_PRINTED // 2]} ... {text[-MOST_PRINTED // 2 :]}"


def _refuse(message: str, hint: str, code: int, lines: Sequence[str] = ()) -> int:
    note(f"pqbed: {_one_line(message)}")
    for line in lines:
        note(f"  {_one_line(line)}")
    if hint:
        note(f"  hint: {_one_line(hint)}")
    return code


def _leave_quietly() -> int:
    """End as `head` and `less` expect: the reader of our output has left."""
    _silence(sys.stdout.fileno())  # so that nothing is flushed into the closed pipe
    return INTERNAL


def _silence(descriptor: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
