"""The page about a campaign: its numbers, and how to run it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from torture.rounds import Round

TEXT = """# Reliability

A campaign of random faults (`tests/torture`) strikes random small sweeps while they run: pqbed, its
lanes or both are killed, interrupted or suspended at random moments, or the file systems of `--out`
and `TMPDIR` are full for a while. A sweep that ended is resumed with `--resume`. When it has
finished, the run must hold exactly the planned samples, none twice, `pqbed verify` must agree, and
after `pqbed down` nothing may be left: no process, temporary folder, half-made file, mount or
container.

## The last campaign

{date}, seed {seed}: {rounds} rounds with {faults} faults, of which **{held} held**.

| bed | rounds | faults | planned samples | missing | doubled | foreign | failed | lost | left over | not verified |
| -- | -- | -- | -- | -- | -- | -- | -- | -- | -- | -- |
{beds}

*Lost* are fetches that three lanes in a row did not survive ([dd-023](design/dd-023-lost.md)); they
are rows of the run, and no value of any quantile. *Failed* are fetches with a failure as outcome.

| fault | times |
| -- | -- |
{kinds}

{absent}{misses}## Run it

```console
$ make torture
$ cd tests && ../.venv/bin/python -m torture --rounds 200 --seed 2 --arena uml \\
    --results /tmp/rounds.ndjson
$ cd tests && ../.venv/bin/python -m torture --seed 2 --arena uml --only 17
```

`make torture` plays 100 rounds on every bed that this host can run, and writes this page. Rounds
that the results file holds are not played again, so it can be interrupted. `--only` repeats the
choices of one round; its moments depend on the host. Full file systems need root, for a tmpfs of
their own.
"""


def write_page(path: Path, rounds: Sequence[Round], needs: Mapping[str, str]) -> None:
    """Write the page about `rounds`. `needs`: what each bed needs of a host."""
    played = {each.arena for each in rounds}
    absent = [
        f"No rounds on the {name} bed: the host of this campaign lacks what it needs ({need})."
        for name, need in needs.items()
        if name not in played
    ]
    path.write_text(
        TEXT.format(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            seed=", ".join(sorted({str(each.seed) for each in rounds})),
            rounds=len(rounds),
            faults=sum(len(each.faults) for each in rounds),
            held=sum(each.holds for each in rounds),
            beds="\n".join(_bed_row(name, [each for each in rounds if each.arena == name]) for name in sorted(played)),
            kinds="\n".join(f"| {name} | {times} |" for name, times in _faults(rounds).most_common()),
            absent="".join(f"{line}\n\n" for line in absent),
            misses=_misses(rounds),
        )
    )


def _faults(rounds: Sequence[Round]) -> Counter[str]:
    return Counter(name for each in rounds for name in each.faults)


def _bed_row(name: str, rounds: Sequence[Round]) -> str:
    samples = [each.samples for each in rounds]
    numbers = (
        len(rounds),
        sum(len(each.faults) for each in rounds),
        sum(each.planned for each in samples),
        sum(each.missing for each in samples),
        sum(each.doubled for each in samples),
        sum(each.foreign for each in samples),
        sum(each.failed for each in samples),
        sum(each.lost for each in samples),
        sum(len(each.left) for each in rounds),
        sum(not each.verified for each in rounds),
    )
    return f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |"


def _misses(rounds: Sequence[Round]) -> str:
    lines = [
        f"- round {each.number}, {each.arena}, {', '.join(each.faults)}: exit codes {each.codes}, "
        f"{each.samples}, left {each.left}"
        for each in rounds
        if not each.holds
    ]
    return "### Did not hold\n\n" + "\n".join(lines) + "\n\n" if lines else ""
