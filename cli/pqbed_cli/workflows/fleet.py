"""The mixtures of a run, each as the population that it stands for."""

from pqbed.errors import SpecError
from pqbed.report.run_mixtures import read_mixed
from pqbed.store.run_directory import open_run
from pqbed_cli.options import FleetOptions
from pqbed_cli.workflow_results import Fleet
from pqbed_cli.workflows.find_run import find_run, read_baseline
from pqbed_cli.workflows.show import read_percentiles


def fleet(options: FleetOptions) -> Fleet:
    """Return the mixtures of the run that is named. Raises SpecError if its sweep has none."""
    percentiles = read_percentiles(options.percentile)
    with open_run(find_run(options.run, options.out)) as run:
        baseline = read_baseline(run, options.baseline)
        mixed = read_mixed(run, percentiles, options.resumed_share, baseline=baseline)
        if not mixed:
            raise SpecError(
                f"{run.path} has no mixture: its sweep weights no cells",
                "measure one: pqbed sweep --preset fleet, or a sweep file with [mixtures.NAME]",
            )
        return Fleet(path=run.path, mixed=mixed, rows=run.cells().collect().to_dicts())
