"""python -m torture: play the rounds that the results file lacks, and write the page about them."""

import argparse
import signal
import sys
from pathlib import Path

from torture.arenas import ARENAS
from torture.page import write_page
from torture.results import append_rounds, read_rounds
from torture.rounds import Round, play_round

FAILED = 1


def main() -> int:
    # A program that is started gets the default back: under nohup it would ignore what it is to be struck with.
    signal.signal(signal.SIGHUP, lambda *_: None)
    options = _parse()
    arenas = [name for name in options.arena or ARENAS if _usable(name)]
    if options.only is not None:
        played = play_round(options.only, options.seed, arenas[options.only % len(arenas)])
        print(_line(played), played.words, sep="\n")
        return 0 if played.holds else FAILED
    rounds = read_rounds(options.results)
    for number in range(len(rounds), min(options.rounds, len(rounds) + options.at_most)):
        played = play_round(number, options.seed, arenas[number % len(arenas)])
        append_rounds(options.results, [played])
        rounds.append(played)
        print(_line(played), flush=True)
    if options.page is not None:
        write_page(options.page, rounds, {name: arena.needs for name, arena in ARENAS.items()})
    return 0 if all(each.holds for each in rounds) else FAILED


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many the results file is to hold")
    parser.add_argument("--at-most", type=int, default=10**6, help="how many to play now")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--arena", action="append", choices=ARENAS, help="a bed to play on, in turn; all by default")
    parser.add_argument("--results", type=Path, default=Path("torture.ndjson"))
    parser.add_argument("--page", type=Path, help="write what was seen to this Markdown page")
    parser.add_argument("--only", type=int, metavar="N", help="play round N alone; store nothing")
    return parser.parse_args()


def _usable(name: str) -> bool:
    reason = ARENAS[name].missing()
    if reason:
        print(f"no rounds on {name}: {reason}", file=sys.stderr)
    return not reason


def _line(played: Round) -> str:
    counts = played.samples
    verdict = "holds" if played.holds else f"DOES NOT HOLD: {played.left or counts}, verified {played.verified}"
    return (
        f"{played.number:3d} seed {played.seed} {played.arena:6s} {'+'.join(played.faults) or 'none met':40s} "
        f"codes {','.join(map(str, played.codes))}; {counts.planned} samples, {counts.lost} lost, "
        f"{counts.failed} failed; {played.seconds} s; {verdict}"
    )


if __name__ == "__main__":
    sys.exit(main())
