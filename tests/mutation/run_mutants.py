"""Mutation run: change one expression of a module at a time, and see whether the tests of its room notice.

`make mutants` runs a sample of each room and lists the survivors. The tree is not touched: mutants live in copies of
the package, which stand before the installed one on the path.
"""

import argparse
import compileall
import importlib
import itertools
import os
import py_compile
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

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
TIMEOUT_CPU_S = 240
MEMORY_BYTES = 8 << 30
# What the tests import besides pqbed.
PRELOADED = ("hypothesis", "numpy", "polars", "pydantic", "pyroute2", "pytest", "scipy.stats", "tomli_w")


def sample(room: str, most: int, seed: int) -> Iterator[tuple[Path, Mutant]]:
    """Yield `most` mutants of a room, spread over its modules by what can be changed in them."""
    modules = [path for path in sorted(PACKAGE.glob(ROOMS[room][0])) if path.name != "__init__.py"]
    weights = [count_mutants(path.read_text()) for path in modules]
    shares = random.Random(seed).sample(range(len(modules)), counts=weights, k=min(most, sum(weights)))
    for number, path in enumerate(modules):
        yield from ((path, mutant) for mutant in choose_mutants(path.read_text(), shares.count(number), seed))


def judge(mutants: Iterable[tuple[Path, Mutant]], room: str, copies: Sequence[Path]) -> Iterator[tuple[Path, Mutant]]:
    """Yield the survivors. As many mutants at once as there are copies of the package."""
    free, waiting = list(copies), iter(mutants)
    running: dict[int, tuple[Path, Mutant, Path, str]] = {}
    while True:
        for path, mutant in itertools.islice(waiting, len(free)):
            copy = free.pop()
            target = copy / path.relative_to(ROOT)
            original = target.read_text()
            target.write_text(mutant.source)
            running[start_tests(tests_of(path, room), copy)] = (path, mutant, copy, original)
        if not running:
            return
        pid, status = os.wait()
        path, mutant, copy, original = running.pop(pid)
        (copy / path.relative_to(ROOT)).write_text(original)
        free.append(copy)
        if status == 0:
            yield path, mutant


def tests_of(path: Path, room: str) -> list[str]:
    """Return the tests of a room, those of the module first."""
    folders = ROOMS[room][1]
    own = [str(file) for folder in folders for file in sorted((ROOT / folder).rglob(f"test_{path.stem}.py"))]
    return [*own, *folders]


def start_tests(tests: list[str], copy: Path) -> int:
    """Return the process that runs them: a fork, so that all but pqbed has been imported before."""
    pid = os.fork()
    if pid:
        return pid
    # Not by the clock: the machine may be busy. A mutant that waits for ever is pytest's to end.
    resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT_CPU_S, TIMEOUT_CPU_S))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(quiet, stream)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(copy / "testbed"))
    os.environ |= {"PYTHONPATH": sys.path[0], "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / "hypothesis")}
    os.chdir(ROOT)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--timeout", str(TIMEOUT_S), "--hypothesis-seed", "0"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of plugins that are imported already
    try:
        code = int(pytest.main([*options, *tests]))
    except BaseException:  # noqa: BLE001 - a fork must not return
        code = 1
    os._exit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", default=list(ROOMS))
    parser.add_argument("--most", type=int, default=60, help="mutants per room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at once")
    chosen = parser.parse_args()
    for name in PRELOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder, str(number)) for number in range(chosen.jobs)]
        for copy in copies:
            for name in ("testbed", "images", "results"):
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            # By hash: a mutant could have the size and the second of what was compiled.
            compileall.compile_dir(copy, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        for room in chosen.rooms:
            start_tests(ROOMS[room][1], copies[0])
            if os.wait()[1] != 0:
                raise SystemExit(f"{room}: its tests fail without any mutant")
            run_room(room, copies, chosen.most, chosen.seed)


def run_room(room: str, copies: Sequence[Path], most: int, seed: int) -> None:
    """Print each survivor, then the score."""
    started = time.monotonic()
    mutants = list(sample(room, most, seed))
    survivors = 0
    for path, mutant in judge(mutants, room, copies):
        survivors += 1
        print(f"survived: {path.relative_to(PACKAGE)}:{mutant.line}: {mutant.old}  ->  {mutant.new}", flush=True)
    killed = len(mutants) - survivors
    print(f"{room}: {killed} of {len(mutants)} killed in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
