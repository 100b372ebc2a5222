"""A host whose kernel has netem, where this one's has none: this host's own files under the kernel of the uml bed.

The clock is real. What a command there writes is written here.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What pid 1 does: file systems, the command, and its result as one line.
INIT = """
import ctypes, json, os, subprocess
libc = ctypes.CDLL(None)
for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
    libc.mount(kind.encode(), target.encode(), kind.encode(), 0, None)
done = subprocess.run(@COMMAND@, env=@ENVIRONMENT@, cwd=@FOLDER@, stdin=subprocess.DEVNULL, capture_output=True,
                      text=True, errors="replace")
print("@MARK@" + json.dumps([done.returncode, done.stdout, done.stderr]), flush=True)
libc.reboot(0x4321FEDC)
"""
MARK = "done: "
MEMORY = "2G"
TIMEOUT_S = 600


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


def run_on_netem_host(kernel: Path, folder: Path, command: list[str], environment: Mapping[str, str]) -> Done:
    """Run `command` as root of such a host, in `folder`, which is writable."""
    init = folder / "init.py"
    replacements = {"@COMMAND@": repr(command), "@ENVIRONMENT@": repr(dict(environment)), "@FOLDER@": repr(str(folder))}
    text = INIT.replace("@MARK@", MARK)
    for name, value in replacements.items():
        text = text.replace(name, value)
    init.write_text(text)
    boot = [str(kernel), f"mem={MEMORY}", "rootfstype=hostfs", "rootflags=/", "rw", "quiet", "seccomp=on"]
    boot += ["con=null", "con0=fd:0,fd:1", f"init={sys.executable}", "--", str(init)]
    ended = subprocess.run(
        boot,
        env={"PATH": os.environ["PATH"], "HOME": "/dev/shm", "TMPDIR": "/dev/shm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    lines = ended.stdout.decode(errors="replace").splitlines()
    results = [json.loads(line.removeprefix(MARK)) for line in lines if line.startswith(MARK)]
    assert len(results) == 1, f"{lines[-20:]} {ended.stderr.decode(errors='replace')[-2000:]}"
    return Done(*results[0])
