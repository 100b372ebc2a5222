"""Check for what pqbed needs of a Linux kernel, by its release, configuration and modules.

Loads nothing, needs no privilege. What only the kernel itself can answer is probed later (net/netem_support.py).
"""

import gzip
import os
import re
from collections.abc import Iterable
from pathlib import Path

from pqbed.net.kernel_features import NETEM, Module
from pqbed.spec.guest_kernels import OLDEST_KERNEL

# Red Hat brings newer traffic control to its old releases: the number alone says nothing.
BACKPORTING = ".el"


def kernel_seeds_netem(release: str) -> bool | None:
    """Return whether netem of a kernel of this release takes a seed; None if only the kernel itself can answer."""
    match = re.match(r"(\d+)\.(\d+)", release)
    if match is None:
        return None
    if (int(match[1]), int(match[2])) >= OLDEST_KERNEL:
        return True
    return None if BACKPORTING in release else False


def kernel_has_netem(root: Path = Path("/"), release: str | None = None) -> bool | None:
    """Return whether the running kernel has netem built in or as a module; None if unknown."""
    return kernel_has(NETEM, root, release)


def missing_modules(modules: Iterable[Module]) -> tuple[str, ...]:
    """Return the names of those of `modules` that the running kernel certainly lacks."""
    return tuple(module.name for module in modules if kernel_has(module) is False)


def kernel_has(module: Module, root: Path = Path("/"), release: str | None = None) -> bool | None:
    """Return whether the running kernel has `module` built in or loadable; None if unknown.

    Inside a container the modules of the host are often not visible: then only the kernel's own
    configuration or a loaded module can answer.
    """
    release = release or os.uname().release
    if (root / "sys/module" / module.name).exists():
        return True
    modules = root / "lib/modules" / release
    if any(_mentions(modules / name, module) for name in ("modules.builtin", "modules.dep")):
        return True
    configured = _configured(root, release, module)
    if configured == "y":
        return True
    if configured == "n":
        return False
    return False if (modules / "modules.dep").exists() else None


def _mentions(listing: Path, module: Module) -> bool:
    try:
        return f"/{module.name}.ko" in listing.read_text(errors="replace")
    except OSError:
        return False


def _configured(root: Path, release: str, module: Module) -> str | None:
    """Return `y`, `m` or `n` for the option of `module`, None if no configuration can be read."""
    for path in (root / "proc/config.gz", root / "boot" / f"config-{release}"):
        try:
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode(errors="replace")
        except (OSError, EOFError):
            continue
        if "CONFIG_NET_SCHED" not in text:
            continue
        match = re.search(rf"^CONFIG_{module.option}=([ym])$", text, re.MULTILINE)
        return match[1] if match else "n"
    return None
