"""Remedies ranked: of a run that is there, or of one that is measured for it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.atomic_files import translate_os_errors
from pqbed.errors import SpecError
from pqbed.model.remedy_profiles import remedy_profiles
from pqbed.report.run_mixtures import read_mixed
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.presets import preset
from pqbed.spec.profile import Profile
from pqbed.spec.sweep_toml import profile_table
from pqbed.stats.mixtures import Mixed
from pqbed.stats.rank_remedies import RankedLink, rank_remedies
from pqbed.store.run_directory import Run, open_run
from pqbed.store.table_schemas import CONDITIONS
from pqbed.tls.certificate_shape import chain_of, read_shapes
from pqbed.tls.migrate_chain import migrate_chain
from pqbed_cli.options import RemediesOptions, SweepOptions
from pqbed_cli.workflow_results import RankedRemedies
from pqbed_cli.workflows.find_run import find_run
from pqbed_cli.workflows.show import DEFAULT_PERCENTILES, summary_rows
from pqbed_cli.workflows.sweep import start_sweep

PRESET = "remedies"
HELPED, MIGRATED_TO, GROUP = "web-p50-pq", "mldsa44", "X25519MLKEM768"


def rank(options: RemediesOptions) -> RankedRemedies:
    """Return the remedies of the run that is named, or of one that is measured now, ranked per link."""
    path = _measure(options) if options.run is None else find_run(_only_the_run(options, options.run), options.out)
    with open_run(path) as run:
        links = rank_remedies([*summary_rows(run, DEFAULT_PERCENTILES), *mixed_rows(run)], list(CONDITIONS))
        if options.figure is not None:
            _write_figure(options.figure, links)
        return RankedRemedies(path=run.path, manifest=run.manifest, links=links)


def mixed_rows(run: Run) -> list[dict[str, Any]]:
    """Return the mixtures of profiles of `run` as if each were a cell: clients that a remedy does not reach."""
    mixed = read_mixed(run, DEFAULT_PERCENTILES)
    return [_as_cell(one) for one in mixed if "profile" in one.mixture.options]


def _as_cell(one: Mixed) -> dict[str, Any]:
    values = {f"{name}_ns": one.statistic(name).estimate.point for name in ("p50", "p90")}
    flights = [(part.share, part.row["server_flight_bytes"]) for part in one.parts]
    known = all(size is not None for _, size in flights)
    return {
        **one.row,
        **{name: value if value < float("inf") else None for name, value in values.items()},
        "profile": one.arm,
        "server_flight_bytes": round(sum(share * size for share, size in flights)) if known else None,
    }


def _only_the_run(options: RemediesOptions, run: str) -> str:
    """Raise SpecError for what says how to measure, beside a run that is measured."""
    names = ("profile", "chain", "samples", "seed", "bed", "clock", "kernel", "calibrate")
    given = [*options.axes, *(name for name in names if getattr(options, name) is not None)]
    if given:
        flag = f"--{given[0].replace('_', '-')}"
        raise SpecError(
            f"{flag} says how to measure, and {run} is measured already", f"drop {flag}, or leave out the run"
        )
    return run


def _measure(options: RemediesOptions) -> Path:
    """Measure the remedies of a chain: the preset's sweep, with its arms made anew for another chain than its own."""
    sweep = SweepOptions(
        axes=options.axes,
        samples=options.samples,
        seed=options.seed,
        bed=options.bed,
        clock=options.clock,
        kernel=options.kernel,
        calibrate=options.calibrate,
        out=options.out,
    )
    result = start_sweep(sweep, _base(options))
    if result.interruption:
        raise SpecError(result.interruption, "then rank it: pqbed remedies RUN")
    return result.summary.path


def _base(options: RemediesOptions) -> dict[str, Any]:
    base = preset(PRESET)
    helped = _helped(options)
    if helped is None:
        return base
    arms = (helped, *remedy_profiles(helped))
    tables = {arm.name: profile_table(arm) for arm in arms}
    mixtures = {
        name: {"profile": {helped.name if arm == HELPED else arm: share for arm, share in table["profile"].items()}}
        for name, table in base["mixtures"].items()
    }
    return {**base, "profile": [arm.name for arm in arms], "profiles": tables, "mixtures": mixtures}


def _helped(options: RemediesOptions) -> Profile | None:
    """Return the profile whose chain is to be helped; None for that of the preset."""
    if options.profile is not None and options.chain is not None:
        raise SpecError("--profile and --chain both name a chain to help", "give one of them")
    if options.chain is not None:
        chain = migrate_chain(chain_of(read_shapes(options.chain)), MIGRATED_TO)
        return Profile(name="my-chain-pq", group=GROUP, chain=chain)
    if options.profile in {None, HELPED}:
        return None
    return replace(profile_named(options.profile or HELPED))


def _write_figure(folder: Path, links: Sequence[RankedLink]) -> None:
    from pqbed.report.figure_files import write_figures
    from pqbed.report.figures.remedies import draw_remedies

    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_figures(folder, [draw_remedies(links, [link.title for link in links])])
