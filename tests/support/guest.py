"""Boot a User-mode Linux guest in virtual time, run one script in it, collect its JSON lines.

Nothing is written to the root.
"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyroute2

REPOSITORY = Path(__file__).parents[2]
BOOT_SECONDS = 300

# What pid 1 does before the script: file systems, and the repository and pyroute2 from the host.
INIT = """
import ctypes, os, sys, traceback
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, data=None):
    if libc.mount(source.encode(), target.encode(), kind.encode(), 0, data and data.encode()):
        raise OSError(ctypes.get_errno(), f"mount {target}")
try:
    for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/tmp"), ("tmpfs", "/run")):
        mount(kind, target, kind)
    mount("none", "/mnt", "hostfs", "@REPOSITORY@")
    mount("none", "/media", "hostfs", "@PACKAGES@")
    os.environ.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME="/tmp")
    # The root's own packages come first: the host's pycurl is another one, for another Python.
    sys.path[:0] = ["/mnt/testbed", "/mnt/tests", "/opt/pqbed/vendor", "/media"]
    sys.argv = ["@SCRIPT@", *"@ARGUMENTS@".split()]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))
    exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"), {"__name__": "__main__", "__file__": sys.argv[0]})
except BaseException:
    traceback.print_exc()
sys.stdout.flush()
libc.reboot(0x4321FEDC)
"""


RunInGuest = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class Guest:
    """Where the guest's parts are."""

    kernel: Path
    root: Path

    def command(self, script: Path, arguments: str) -> list[str]:
        init = (
            INIT.replace("@REPOSITORY@", str(REPOSITORY))
            .replace("@PACKAGES@", str(Path(pyroute2.__file__).parents[1]))
            .replace("@SCRIPT@", f"/mnt/{script.relative_to(REPOSITORY)}")
            .replace("@ARGUMENTS@", arguments)
        )
        return [
            *(str(self.kernel), "mem=512M", "rootfstype=hostfs", f"rootflags={self.root}", "rw"),
            *("time-travel=inf-cpu", "con=null", "con0=fd:0,fd:1", "seccomp=on", "quiet"),
            "PYTHONDONTWRITEBYTECODE=1",
            *("init=/usr/bin/python3", "--", "-c", f"exec(bytes.fromhex('{init.encode().hex()}'))"),
        ]


def run_in_guest(guest: Guest, script: Path, arguments: str = "") -> list[dict[str, Any]]:
    """Run a script of this repository in a fresh guest and return its JSON lines."""
    done = subprocess.run(
        guest.command(script, arguments),
        env={"PATH": os.environ["PATH"], "HOME": "/dev/shm", "TMPDIR": "/dev/shm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=BOOT_SECONDS,
        check=False,
    )
    lines = done.stdout.decode(errors="replace").splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert records, f"the guest said nothing: {lines[-20:]} {done.stderr.decode(errors='replace')[-2000:]}"
    others = [line for line in lines if not line.startswith("{")]
    assert not any("Traceback" in line for line in others), "\n".join(others)
    return records
