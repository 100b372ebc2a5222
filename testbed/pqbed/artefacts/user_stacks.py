"""Stacks that users add: OpenSSL provider modules with the libraries they need, in the user's data folder.

A folder `stacks/NAME/` holds the entry, `files/`, and the recipe of the image (images/module). In an image or a root
the files and the entry lie in /opt/pqbed/added/NAME, which is put into a root that is already built.
"""

import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.artefacts.image_sources import recipe_folder
from pqbed.errors import HostError, SpecError
from pqbed.spec.json_codec import from_json
from pqbed.spec.profile import DEFAULT_STACK
from pqbed.spec.stacks import ADDED, ENTRY, Stack, added_stacks_home, builtin_stacks, read_stack, stack_named
from pqbed.user_folders import cache_home

RECIPE = "module"
FILES, CONFIGURATION = "files", "openssl.cnf"
# It is part of an image's name and of a path; `same` is what --client-stack calls the server's stack.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_RESERVED = {"same", RECIPE, "uml"}
_SECTION = re.compile(r"[A-Za-z0-9_-]+")
_CONFIGURATION = """\
openssl_conf = pqbed
[pqbed]
providers = providers
[providers]
default = default_section
{providers}
[default_section]
activate = 1
{sections}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFiles:
    """What a stack is added from. `configuration` None: one that loads the modules beside the default provider."""

    modules: tuple[Path, ...]
    libraries: tuple[Path, ...] = ()
    configuration: Path | None = None
    title: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The keys of the stack.toml of a folder to add."""

    module: tuple[str, ...]
    library: tuple[str, ...] = ()
    conf: str = ""
    title: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def read_stack_files(folder: Path) -> StackFiles:
    """Read a folder with a stack.toml: `module`, `library`, `conf`, `title`, `environment`. Raises SpecError."""
    path = folder / ENTRY
    try:
        entry = from_json(_Entry, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SpecError(f"cannot read {path}: {error.strerror}", 'it names the files: module = ["NAME.so"]') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    except SpecError as error:
        raise SpecError(f"{path}: {error.message}", error.hint) from error
    return StackFiles(
        modules=tuple(folder / name for name in entry.module),
        libraries=tuple(folder / name for name in entry.library),
        configuration=folder / entry.conf if entry.conf else None,
        title=entry.title,
        environment=entry.environment,
    )


def check_name(name: str) -> str:
    """Return `name` if an added stack can have it. Raises SpecError."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise SpecError(f"{name[:60]!r} cannot be the name of a stack", "use up to 41 of a-z, 0-9 and '-'")
    if name in builtin_stacks():
        raise SpecError(f"{name} is one of pqbed's own stacks", "choose another name")
    if (added_stacks_home() / name).exists():
        raise SpecError(f"there is a stack {name} already", f"remove it first: pqbed stack remove {name}")
    return name


def stage_stack(name: str, source: StackFiles, folder: Path) -> Stack:
    """Fill the empty `folder` with the stack `name` and return it. Raises SpecError for a file that cannot be read."""
    files = folder / FILES
    files.mkdir()
    for path in (*source.modules, *source.libraries):
        if (files / path.name).exists():
            raise SpecError(f"two files are named {path.name}", "name each file once")
        _copy(path, files / path.name)
    if source.configuration is None:
        (files / CONFIGURATION).write_text(_configuration(source.modules), encoding="ascii")
    else:
        _copy(source.configuration, files / CONFIGURATION)
    shutil.copytree(recipe_folder(RECIPE), folder, dirs_exist_ok=True)
    place = f"{ADDED}/{name}"
    stack = Stack(
        name=name,
        title=source.title or f"nginx and libcurl with OpenSSL and {', '.join(path.name for path in source.modules)}",
        server=stack_named(DEFAULT_STACK).server,
        client=stack_named(DEFAULT_STACK).client,
        extends=DEFAULT_STACK,
        environment={
            **source.environment,
            "OPENSSL_CONF": f"{place}/{CONFIGURATION}",
            "OPENSSL_MODULES": place,
            "LD_LIBRARY_PATH": place,
        },
        module=tuple(path.name for path in source.modules),
        library=tuple(path.name for path in source.libraries),
        connections=stack_named(DEFAULT_STACK).connections,
        groups=stack_named(DEFAULT_STACK).groups,
        extensions=stack_named(DEFAULT_STACK).extensions,
        hash=_hash(files, source.environment),
    )
    (folder / ENTRY).write_text(_entry_text(stack), encoding="utf-8")
    return stack


def added_stacks(stacks: Iterable[str]) -> dict[str, str]:
    """Return the added stacks among `stacks`, with the hash of each. Raises HostError if its files have changed."""
    added = {name: stack for name in sorted(set(stacks)) if (stack := stack_named(name)).hash}
    for name, stack in added.items():
        own = {key: value for key, value in stack.environment.items() if not value.startswith(f"{ADDED}/{name}")}
        if _hash(added_stacks_home() / name / FILES, own) != stack.hash:
            raise HostError(
                f"the files of the stack {name} are not those that were added",
                f"run `pqbed stack remove {name}` and add it again",
            )
    return {name: stack.hash for name, stack in added.items()}


def put_stacks(root: Path, stacks: Iterable[str]) -> None:
    """Put the files of the added stacks among `stacks` into `root`."""
    for name in added_stacks(stacks):
        _put(root / ADDED.lstrip("/") / name, added_stacks_home() / name)


def list_added() -> tuple[Stack, ...]:
    """Return the stacks that this user added, by name."""
    return tuple(read_stack(path) for path in sorted(added_stacks_home().glob(f"*/{ENTRY}")))


def remove_added(name: str) -> Stack:
    """Remove an added stack from the data folder and from cached roots. Raises SpecError if there is none."""
    stacks = {stack.name: stack for stack in list_added()}
    if name in builtin_stacks():
        raise SpecError(f"{name} is one of pqbed's own stacks", "only stacks that were added can be removed")
    if name not in stacks:
        raise SpecError(f"no stack {name!r} was added", "see `pqbed stack list`")
    shutil.rmtree(added_stacks_home() / name)
    for root in (cache_home() / "roots").glob("*"):
        shutil.rmtree(root / ADDED.lstrip("/") / name, ignore_errors=True)
    return stacks[name]


def _put(target: Path, folder: Path) -> None:
    """Make `target` the files and the entry of the stack in `folder`; at no moment is it in part."""
    entry = (folder / ENTRY).read_bytes()
    if (target / ENTRY).exists() and (target / ENTRY).read_bytes() == entry:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".stack-", dir=target.parent))
    try:
        shutil.copytree(folder / FILES, partial, dirs_exist_ok=True)
        (partial / ENTRY).write_bytes(entry)
        partial.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise SpecError(f"cannot read {source}: {error.strerror}") from error
    target.chmod(0o644)


def _configuration(modules: Sequence[Path]) -> str:
    names = [path.stem for path in modules]
    for name in names:
        if not _SECTION.fullmatch(name):
            raise SpecError(f"{name!r} cannot be the name of a provider", "name the module PROVIDER.so, or give --conf")
    return _CONFIGURATION.format(
        providers="\n".join(f"{name} = {name}_section" for name in names),
        sections="\n".join(f"[{name}_section]\nactivate = 1" for name in names),
    )


def _hash(files: Path, environment: Mapping[str, str]) -> str:
    return hash_inputs(files, *(f"{name}={value}" for name, value in sorted(environment.items())))


def _entry_text(stack: Stack) -> str:
    """Return a stack.toml. Texts and arrays of texts are written alike in JSON and TOML."""
    environment = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in stack.environment.items())
    keys = (
        "name",
        "title",
        "server",
        "client",
        "extends",
        "module",
        "library",
        "connections",
        "groups",
        "extensions",
        "hash",
    )
    lines = [f"{key} = {json.dumps(getattr(stack, key), ensure_ascii=False)}" for key in keys]
    return "\n".join((*lines, f"environment = {{ {environment} }}", ""))
