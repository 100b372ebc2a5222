"""The `pqbed` command: one file a command, and the one place that prints an error and sets the exit code."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType

import typer

from pqbed.errors import PqbedError
from pqbed_cli import commands
from pqbed_cli.exits import INTERRUPTED, UNFORESEEN, USAGE

# Typer before 0.29 stands on click, later ones carry their own copy: the base class is found the same way in both.
UsageError = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="pqbed",
    help="Measure what post-quantum TLS 1.3 costs a real connection, as time to last byte (TTLB).",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands.register(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. This is the console entry."""
    try:
        with _terminated_as_interrupted():
            code = app(args=arguments, prog_name="pqbed", standalone_mode=False)
    except PqbedError as error:
        return _refuse(error.message, error.hint, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", "", INTERRUPTED)
    except BrokenPipeError:
        return _leave_quietly()
    except Exception as error:  # noqa: BLE001 (the last place before the user)
        if not isinstance(error, UsageError):
            return _unforeseen(error)
        return _usage(error)
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM (kill, systemd, a container's end) do what Ctrl-C does: a clean end with what was measured."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _usage(error: Exception) -> int:
    """Print what Typer refused: an unknown command or option, a missing argument."""
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(str(error))
        return USAGE
    message = getattr(error, "format_message", error.__str__)().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "pqbed"
    return _refuse(message[:1].lower() + message[1:], f"see `{command} --help`", USAGE)


def _unforeseen(error: Exception) -> int:
    """Print what nobody foresaw, with its traceback: this is a defect of pqbed, not of the request."""
    sys.excepthook(type(error), error, error.__traceback__)
    return _refuse(
        f"unforeseen: {type(error).__name__}: {error}", "please report this with the lines above", UNFORESEEN
    )


def _refuse(message: str, hint: str, code: int) -> int:
    typer.echo(f"pqbed: {message}", err=True)
    if hint:
        typer.echo(f"  hint: {hint}", err=True)
    return code


def _leave_quietly() -> int:
    """End as `head` and `less` expect: whoever read our output has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush into a closed pipe
    return UNFORESEEN
