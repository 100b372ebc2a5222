"""Mixtures of a run: those of its sweep, and one of full and resumed connections that is asked for."""

from collections.abc import Sequence

from pqbed.errors import SpecError
from pqbed.report.run_facts import SWEEP_FILE
from pqbed.spec.metric import TTLB, Metric
from pqbed.spec.mixture import Mixture
from pqbed.spec.mixture_tables import parse_share, resumed_mixture
from pqbed.spec.sweep_toml import read_run_sweep
from pqbed.spec.value_parsers import naming
from pqbed.stats.block_bootstrap import SEED
from pqbed.stats.classify_difference import DEFAULT_MARGIN, Margin
from pqbed.stats.mixtures import Mixed, mix_cells
from pqbed.store.run_directory import Run


def mixtures_of(run: Run, resumed_share: str | None) -> tuple[Mixture, ...]:
    """Return the mixtures to show of `run`: `resumed_share` as typed replaces those of its sweep."""
    if resumed_share is not None:
        with naming("--resumed-share"):
            return (resumed_mixture(parse_share(resumed_share)),)
    path = run.path / SWEEP_FILE
    try:
        return read_run_sweep(path)[0].mixtures if path.is_file() else ()
    except SpecError:  # of a newer pqbed: its cells can be read all the same
        return ()


def read_mixed(
    run: Run,
    percentiles: Sequence[float],
    resumed_share: str | None = None,
    *,
    metric: Metric = TTLB,
    margin: Margin = DEFAULT_MARGIN,
    baseline: str | None = None,
    seed: int = SEED,
) -> list[Mixed]:
    """Return the mixtures of `run`. Raises SpecError if one is asked for that it has no cells for."""
    cells = run.cells().collect()
    mixtures = mixtures_of(run, resumed_share)
    if cells.is_empty() or not mixtures:
        return []
    mixed = mix_cells(
        run.samples(),
        cells,
        mixtures,
        percentiles,
        baseline=baseline or str(cells["profile"][0]),
        milestone=metric.quantity,
        margin=margin,
        seed=seed,
    )
    if resumed_share is not None and not mixed:
        raise SpecError(
            f"--resumed-share: {run.path} has not both full and resumed connections under the same conditions",
            "measure both: pqbed sweep --resumed-share 0.8",
        )
    return mixed
