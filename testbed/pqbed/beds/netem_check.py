"""Check for `sch_netem` in a Linux kernel, by its configuration and modules. Loads nothing, needs no privilege."""

import gzip
import os
import re
from pathlib import Path

MODULE = "sch_netem"


def kernel_has_netem(root: Path = Path("/"), release: str | None = None) -> bool | None:
    """Return whether the running kernel has netem built in or as a module; None if unknown.

    Inside a container the modules of the host are often not visible: then only the kernel's own
    configuration or a loaded module can answer.
    """
    release = release or os.uname().release
    if (root / "sys/module" / MODULE).exists():
        return True
    modules = root / "lib/modules" / release
    if any(_mentions(modules / name) for name in ("modules.builtin", "modules.dep")):
        return True
    configured = _configured(root, release)
    if configured == "y":
        return True
    if configured == "n":
        return False
    return False if (modules / "modules.dep").exists() else None


def _mentions(listing: Path) -> bool:
    try:
        return f"/{MODULE}.ko" in listing.read_text(errors="replace")
    except OSError:
        return False


def _configured(root: Path, release: str) -> str | None:
    """Return `y`, `m` or `n` for CONFIG_NET_SCH_NETEM, None if no configuration can be read."""
    for path in (root / "proc/config.gz", root / "boot" / f"config-{release}"):
        try:
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode(errors="replace")
        except (OSError, EOFError):
            continue
        if "CONFIG_NET_SCHED" not in text:
            continue
        match = re.search(r"^CONFIG_NET_SCH_NETEM=([ym])$", text, re.MULTILINE)
        return match[1] if match else "n"
    return None
