"""Add a stack from files: checked without running them, then loaded by the OpenSSL of the root, then kept."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pqbed.artefacts.elf_files import read_shared_object
from pqbed.artefacts.user_stacks import FILES, StackFiles, check_name, stage_stack
from pqbed.beds.stack_programs import LIBRARIES, RunProgram, newest_root, programs_of_root
from pqbed.errors import HostError, SpecError
from pqbed.spec.stacks import Stack, added_stacks_home
from pqbed.tls.openssl_command import PROGRAM

TIMEOUT_S = 30.0
LOAD_HINT = "try it by hand with `openssl list -providers`; nothing was added"
_GLIBC_PACKAGE = re.compile(r"^Package: libc6\n(?:.+\n)*?Version: (\d+)\.(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedStack:
    """A stack just added, the `providers` that OpenSSL loads with it, and OpenSSL's `version`."""

    stack: Stack
    providers: tuple[str, ...]
    version: str


def add_stack(name: str, source: StackFiles) -> AddedStack:
    """Add a stack. Raises SpecError or HostError, and then leaves nothing.

    The modules are loaded on this host, by the root's own OpenSSL and libraries.
    """
    check_name(name)
    root = newest_root()
    if root is None:
        raise HostError("no root is built yet to check the files against", "run `pqbed build --bed uml` first")
    _check_files(source, root)
    home = added_stacks_home()
    home.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".adding-", dir=home))
    try:
        stack = stage_stack(name, source, partial)
        run = programs_of_root(root, stack, partial / FILES)
        providers = _load(run, stack)
        version = run((PROGRAM, "version"), TIMEOUT_S).split("(")[0].strip()
        partial.chmod(0o755)
        partial.rename(home / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return AddedStack(stack=stack, providers=providers, version=version)


def _check_files(source: StackFiles, root: Path) -> None:
    """Raise SpecError unless every file is a shared object that finds its libraries and its glibc in `root`."""
    paths = (*source.modules, *source.libraries)
    objects = {path: read_shared_object(path) for path in paths}
    given = {path.name for path in source.libraries}
    version = root_glibc(root)
    for path in source.modules:
        if not objects[path].provider:
            raise SpecError(
                f"{path.name} is no provider: it has no OSSL_provider_init", "name libraries with --library"
            )
    for path, shared in objects.items():
        for library in shared.needed:
            if library not in given and not any(root.glob(f"{LIBRARIES}/{library}")):
                raise SpecError(
                    f"{path.name} needs {library}, which the root does not have", f"add --library {library}"
                )
        if shared.glibc > version:
            needs, has = (".".join(map(str, number)) for number in (shared.glibc, version))
            raise SpecError(
                f"{path.name} needs glibc {needs}, and the root has {has}",
                "compile it on Debian 13 or an older system",
            )


def root_glibc(root: Path) -> tuple[int, int]:
    """Return the version of glibc in a Debian root."""
    match = _GLIBC_PACKAGE.search((root / "var/lib/dpkg/status").read_text(encoding="utf-8"))
    if match is None:
        raise HostError(f"{root} has no libc6", "remove it, and let `pqbed build` make it again")
    return int(match[1]), int(match[2])


def _load(run: RunProgram, stack: Stack) -> tuple[str, ...]:
    """Return the providers that OpenSSL loads. Raises HostError if it loads no more than its own."""
    names = ", ".join(stack.module)
    try:
        text = run((PROGRAM, "list", "-providers"), TIMEOUT_S)
        groups = run((PROGRAM, "list", "-tls1_3", "-tls-groups"), TIMEOUT_S)
    except HostError as error:
        raise HostError(f"OpenSSL does not load {names}: {error.message}", LOAD_HINT) from error
    providers = tuple(re.findall(r"^  (\S+)$", text, re.MULTILINE))
    if not set(providers) - {"default", "base"}:
        raise HostError(
            f"OpenSSL loads no provider from {names}: {_reason(run, stack.module[0])}",
            "name the module as its provider is named (PROVIDER.so), or give --conf",
        )
    if not groups.strip():
        raise HostError(f"OpenSSL has no TLS groups with {names}", "activate the default provider in --conf too")
    return providers


def _reason(run: RunProgram, module: str) -> str:
    """Return what OpenSSL says when it must load the provider of `module`, which a configuration may not."""
    try:
        run((PROGRAM, "list", "-providers", "-provider", Path(module).stem), TIMEOUT_S)
    except HostError as error:
        return error.message
    return "the configuration does not activate it"
