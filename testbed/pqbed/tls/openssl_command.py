"""The `openssl` program of a stack: its output, or a HostError that says why there is none."""

from pqbed.errors import HostError
from pqbed.tls.run_program import run_program

PROGRAM = "openssl"
REQUIRED_VERSION = "3.5"
TIMEOUT_S = 120.0


def run_openssl(*arguments: str, hint: str = "") -> str:
    """Return what `openssl` prints. Raises HostError, with `hint`, unless it ends with exit code 0."""
    return run_program((PROGRAM, *arguments), TIMEOUT_S, hint)


def list_openssl(*arguments: str) -> str:
    """Return what `openssl list` prints, which older versions refuse to. Raises HostError."""
    try:
        return run_openssl("list", *arguments)
    except HostError as error:
        version = run_openssl("version").split("(")[0].strip()
        raise HostError(
            error.message, f"a stack needs OpenSSL {REQUIRED_VERSION} or newer; this is {version}"
        ) from error
