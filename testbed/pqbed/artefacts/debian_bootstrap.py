"""Debian root file systems by mmdebstrap, from its default archive; changes nothing on the host."""

import os
import platform
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.artefacts.build_steps import Command
from pqbed.artefacts.image_sources import SUITE, backports_script
from pqbed.errors import HostError

UNREAD = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")

# Ends a build with a killed pqbed; as root, a private mount namespace lets no mount outlive its build.
ISOLATION = ("setpriv", "--pdeathsig=TERM")


def build_folder() -> Path:
    """Where mmdebstrap works: on disk, which /tmp often is not, and open to the users of a user namespace."""
    return Path(os.environ.get("TMPDIR") or "/var/tmp")  # noqa: S108  mmdebstrap makes a folder of its own in it


def require_bootstrap() -> None:
    """Raise HostError if this host cannot build Debian roots for x86-64."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        raise HostError(
            f"User-mode Linux needs x86-64; this host is {platform.machine()}",
            hint="use --bed docker on a host whose kernel has sch_netem",
        )
    if shutil.which("mmdebstrap") is None:
        raise HostError("mmdebstrap is not installed", hint="run scripts/setup.sh, or: apt install mmdebstrap")
    if os.geteuid() != 0 and shutil.which("newuidmap") is None:
        raise HostError("without root, mmdebstrap needs newuidmap", hint="install it: apt install uidmap")


def bootstrap(
    name: str,
    *,
    variant: str,
    packages: Sequence[str] = (),
    output: Path | None = None,
    hooks: Sequence[str] = (),
    ca_bundle: Path | None,
) -> Command:
    """Describe the run that makes a root of SUITE with `packages`, into the tar `output` or only for its `hooks`.

    A package comes from the backports of SUITE if its name ends so (`libcurl4t64/trixie-backports`).
    """
    backports = f'sh {shlex.quote(str(backports_script()))} "$1" {SUITE}'
    argv = [
        *ISOLATION,
        *(("unshare", "--mount", "mmdebstrap", "--mode=root") if os.geteuid() == 0 else ("mmdebstrap", "--mode=auto")),
        f"--variant={variant}",
        *([f"--include={','.join(packages)}"] if packages else []),
        "--format=null" if output is None else "--format=tar",
        "--skip=output/dev",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD),
        *_trust(ca_bundle),
        f"--setup-hook={backports}",
        *(f"--customize-hook={hook}" for hook in hooks),
        SUITE,
        str(output or "-"),
    ]
    return Command(
        name=name,
        argv=argv,
        env={"TMPDIR": str(build_folder())},
        hint="is Debian's archive reachable? Behind a proxy set http_proxy; behind one that opens TLS give --ca-bundle",
    )


def _trust(ca_bundle: Path | None) -> tuple[str, ...]:
    # apt runs outside and inside the root: the file gets the same path in both.
    if ca_bundle is None:
        return ()
    path = shlex.quote(str(ca_bundle))
    copy = f'mkdir -p "$1"{shlex.quote(str(ca_bundle.parent))} && cp {path} "$1"{path}'
    return f'--aptopt=Acquire::https::CAInfo "{ca_bundle}"', f"--setup-hook={copy}"


def copy_in(target: str, *sources: Path) -> str:
    """A hook that copies host files and folders into the root's folder `target`."""
    return f"copy-in {' '.join(shlex.quote(str(source)) for source in sources)} {target}"


def copy_out(source: str, target: Path) -> str:
    """A hook that copies the root's `source` into the host's folder `target`."""
    return f"copy-out {source} {shlex.quote(str(target))}"


def in_root(script: str, *arguments: str) -> str:
    """A hook that runs a shell script of the root inside it."""
    return f'chroot "$1" sh {shlex.join((script, *arguments))}'


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderWork:
    """What a builder root does: hooks before, a shell script of the root with its arguments, hooks after."""

    before: Sequence[str]
    script: Sequence[str]
    after: Sequence[str]


def work_hooks(*works: BuilderWork) -> list[str]:
    """Hooks that do `works`, their scripts side by side: one alone rarely keeps all cores busy."""
    started = [f"{in_root(*work.script)} & pid{number}=$!;" for number, work in enumerate(works)]
    waited = [f"wait $pid{number} || failed=1;" for number in range(len(works))]
    return [
        *(hook for work in works for hook in work.before),
        " ".join(["failed=0;", *started, *waited, "exit $failed"]),
        *(hook for work in works for hook in work.after),
    ]
