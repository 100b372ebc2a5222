"""One round: a random sweep, random faults, resumed until it is finished, then checked."""

import random
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from torture.arenas import ARENAS, Arena
from torture.checks import Samples, count_samples, leftovers
from torture.faults import FAULTS
from torture.stage import Stage

MOST_FAULTS = 3
# Without any more faults a sweep is finished by its first resume; one more shows that it is.
MOST_RESUMES = 3
FINISHED, CELLS_FAILED = 0, 4
NONE = Samples(planned=0, missing=0, doubled=0, foreign=0, lost=0, failed=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What was done in a round and what was seen; `codes` are the exit codes of its sweeps, one after the other."""

    number: int
    seed: int
    arena: str
    options: str
    faults: tuple[str, ...]
    codes: tuple[int, ...]
    samples: Samples
    verified: bool
    left: tuple[str, ...]
    seconds: float
    words: str = ""

    @property
    def holds(self) -> bool:
        """Whether exactly the planned samples are there, the run is verified, and nothing is left."""
        counts = self.samples
        wrong = counts.missing + counts.doubled + counts.foreign
        return bool(counts.planned) and not wrong and not self.left and self.verified and self.codes[-1] == FINISHED


def play_round(number: int, seed: int, name: str) -> Round:
    """Play round `number` of the campaign with `seed` in an arena."""
    draw = random.Random(f"{seed}/{number}/{name}")
    arena, began = ARENAS[name], time.monotonic()
    options = ("--bed", arena.bed, *arena.sweep(draw))
    stage = Stage(folder=_folder(), owner=f"torture-{seed}-{number}")
    stage.set_up()
    try:
        struck = _strike(stage, arena, options, draw)
        _finish(stage, options)
        stage.ask("down")
        run = stage.run_of()
        verified = run is not None and stage.ask("verify", str(run)).returncode == 0
        result = Round(
            number=number,
            seed=seed,
            arena=name,
            options=" ".join(options),
            faults=tuple(struck),
            codes=tuple(stage.codes),
            samples=NONE if run is None else count_samples(run),
            verified=verified,
            left=tuple(leftovers(stage, run)),
            seconds=round(time.monotonic() - began, 1),
        )
        return _with_words(result, stage)
    finally:
        _end(stage)
        stage.take_down()


def _strike(stage: Stage, arena: Arena, options: tuple[str, ...], draw: random.Random) -> list[str]:
    """Strike up to MOST_FAULTS times; start or resume a sweep that has ended by then. Return what met one."""
    struck = []
    for name in draw.choices(arena.faults, k=draw.randint(1, MOST_FAULTS)):
        sweep = stage.sweep or stage.start(options)
        by_samples = draw.random() < 0.7
        stage.wait_for(draw.randint(1, 150) if by_samples else 0, 60 if by_samples else draw.uniform(0, 6))
        if sweep.poll() is None:
            FAULTS[name](stage, draw)
            struck.append(name)
            stage.wait_for(0, draw.uniform(0, 1.5))
        if sweep.poll() is not None:
            stage.finish(sweep)
    return struck


def _finish(stage: Stage, options: tuple[str, ...]) -> None:
    """Let the sweep end, and resume it until it is finished."""
    code = stage.finish(stage.sweep) if stage.sweep is not None else None
    for _ in range(MOST_RESUMES):
        if code in {FINISHED, CELLS_FAILED}:
            return
        code = stage.finish(stage.start(options))


def _end(stage: Stage) -> None:
    if stage.sweep is not None and stage.sweep.poll() is None:
        stage.sweep.kill()
        stage.sweep.wait()


def _folder() -> Path:
    """Return a new folder where a guest's memory may be."""
    return Path(tempfile.mkdtemp(prefix="torture-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def _with_words(result: Round, stage: Stage) -> Round:
    return Round(**{**asdict(result), "samples": result.samples, "words": stage.last_words()})
