"""How long the grid of the 2025 initcwnd study takes: 72 cells, mutual TLS, 0 to 400 KiB, 1 Mbit/s to 1 Gbit/s.

`make bench` takes a tenth of its 1,000 samples a cell, and says what the whole would take: what is done once a sweep is
not multiplied. `SHARE=1` takes all of them.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

SAMPLES = 1_000
SHARE = float(os.environ.get("SHARE", "0.1"))
LIMIT_S = 300


def reproduce(samples: int) -> tuple[float, float]:
    """Return wall and CPU seconds of the study with so many samples a cell."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "pqbed_cli", "reproduce", "initcwnd2025", "--samples", str(samples)]
        subprocess.run([*command, "--bed", "uml", "--out", out], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    first_wall, first_cpu = reproduce(1)
    wall, cpu = reproduce(round(SAMPLES * SHARE))
    times = (SAMPLES - 1) / (round(SAMPLES * SHARE) - 1)
    whole = first_wall + times * (wall - first_wall)
    print(f"initcwnd2025, 72 cells: one sample a cell {first_wall:.1f} s ({first_cpu:.1f} s of CPU)")
    print(f"{SAMPLES * SHARE:.0f} samples a cell {wall:.1f} s ({cpu:.1f} s of CPU)")
    print(f"{SAMPLES} samples a cell: {whole:.0f} s on {os.cpu_count()} cores; limit {LIMIT_S} s on two quiet ones")


if __name__ == "__main__":
    main()
