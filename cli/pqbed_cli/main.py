"""The `pqbed` command line, and the one place that prints errors and sets the exit code."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Annotated

import typer

from pqbed import __version__
from pqbed.errors import PqbedError
from pqbed_cli import commands
from pqbed_cli.exits import INTERNAL, INTERRUPTED, USAGE
from pqbed_cli.render.output import echo, note

# Typer before 0.29 depends on click, later versions have their own copy; this reaches the base class in both.
UsageError = typer.BadParameter.__mro__[1]

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
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. This is the console entry."""
    try:
        with _sigterm_as_interrupt():
            code = app(args=arguments, prog_name="pqbed", standalone_mode=False)
    except PqbedError as error:
        return _refuse(error.message, error.hint, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", "", INTERRUPTED)
    except BrokenPipeError:
        return _leave_quietly()
    except Exception as error:  # noqa: BLE001 (the last place before the user)
        if not isinstance(error, UsageError):
            return _internal(error)
        return _usage(error)
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM (kill, systemd, the stop of a container) as Ctrl-C: end cleanly and keep what was measured."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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


def _refuse(message: str, hint: str, code: int) -> int:
    note(f"pqbed: {message}")
    if hint:
        note(f"  hint: {hint}")
    return code


def _leave_quietly() -> int:
    """End as `head` and `less` expect: the reader of our output has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that nothing is flushed into the closed pipe
    return INTERNAL
