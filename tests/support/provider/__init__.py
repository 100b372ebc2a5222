"""The provider module of the tests, compiled where it is used."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("ballast.c")
NAME, CODEPOINT = "ballast", 0xFE77


def compile_provider(folder: Path, *options: str, libraries: Sequence[str] = ("-lcrypto",)) -> Path:
    """Compile the module into `folder`; skip the test where there is no C compiler or no OpenSSL to compile with."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc)")
    module = folder / f"{NAME}.so"
    command = (
        "cc",
        "-shared",
        "-fPIC",
        "-O1",
        "-Wall",
        "-Wextra",
        "-o",
        str(module),
        *options,
        str(SOURCE),
        *libraries,
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "openssl/" in done.stderr and "No such file" in done.stderr:
        pytest.skip("no headers of OpenSSL (libssl-dev)")
    assert done.returncode == 0, done.stderr
    return module


def provider_configuration(folder: Path, client_bytes: int, server_bytes: int) -> Path:
    """Write a configuration that loads the module, with shares of these lengths."""
    path = folder / "openssl.cnf"
    path.write_text(f"""openssl_conf = main
[main]
providers = providers
[providers]
default = default_section
{NAME} = {NAME}_section
[default_section]
activate = 1
[{NAME}_section]
activate = 1
client_bytes = {client_bytes}
server_bytes = {server_bytes}
""")
    return path
