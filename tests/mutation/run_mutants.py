"""Mutation run: change one expression of a module at a time, and see whether the tests of its room notice.

`make mutants` runs a sample of each room, one at a time, and lists the survivors. The tree is not touched: mutants live
in a copy of the package, which PYTHONPATH puts before the installed one.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mutation.mutations import Mutant, choose_mutants, count_mutants

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "testbed" / "pqbed"
# Room -> its modules, and the tests that must notice.
ROOMS = {
    "stats": ("stats/**/*.py", ["tests/unit/stats"]),
    "calibrate": ("calibrate/**/*.py", ["tests/unit/calibrate"]),
    "model": ("model/**/*.py", ["tests/unit/model"]),
    "plan": ("plan.py", ["tests/unit/test_plan.py"]),
    "store": ("store/**/*.py", ["tests/unit/store", "tests/unit/test_verify_run.py"]),
}
TIMEOUT_S = 240


def sample(room: str, most: int, seed: int) -> Iterator[tuple[Path, Mutant]]:
    """Yield `most` mutants of a room, spread over its modules by what can be changed in them."""
    modules = [path for path in sorted(PACKAGE.glob(ROOMS[room][0])) if path.name != "__init__.py"]
    weights = [count_mutants(path.read_text()) for path in modules]
    shares = random.Random(seed).sample(range(len(modules)), counts=weights, k=min(most, sum(weights)))
    for number, path in enumerate(modules):
        yield from ((path, mutant) for mutant in choose_mutants(path.read_text(), shares.count(number), seed))


def is_noticed(mutant: Mutant, path: Path, copy: Path, tests: list[str]) -> bool:
    """Run the module's own tests first, then those of the room, until one fails."""
    target = copy / path.relative_to(ROOT)
    original = target.read_text()
    own = [str(file) for folder in tests for file in sorted((ROOT / folder).rglob(f"test_{path.stem}.py"))]
    target.write_text(mutant.source)
    try:
        return any(fails(some, copy) for some in (own, tests) if some)
    finally:
        target.write_text(original)


def fails(tests: list[str], copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy / "testbed"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode != 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", default=list(ROOMS))
    parser.add_argument("--most", type=int, default=60, help="mutants per room")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("testbed", "images", "results"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for room in chosen.rooms:
            if fails(ROOMS[room][1], copy):
                raise SystemExit(f"{room}: its tests fail without any mutant")
            run_room(room, copy, chosen.most, chosen.seed)


def run_room(room: str, copy: Path, most: int, seed: int) -> None:
    """Print each survivor, then the score."""
    started, killed, total = time.monotonic(), 0, 0
    for path, mutant in sample(room, most, seed):
        total += 1
        if is_noticed(mutant, path, copy, ROOMS[room][1]):
            killed += 1
        else:
            print(f"survived: {path.relative_to(PACKAGE)}:{mutant.line}: {mutant.old}  ->  {mutant.new}", flush=True)
    print(f"{room}: {killed} of {total} killed in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
