"""The cells of a run that are asked for, explained."""

from collections.abc import Collection, Mapping

from pqbed.errors import SpecError, StoreError
from pqbed.reproduce.stored_plan import planned_cells
from pqbed.spec.axes import AXES
from pqbed.spec.cell import Cell
from pqbed.spec.remedies import has_remedies
from pqbed.stats.explain_cells import Explainer
from pqbed.stats.rank_remedies import RankedLink, rank_remedies
from pqbed.store.run_directory import Run, open_run
from pqbed.store.table_schemas import CONDITIONS
from pqbed_cli.options import ExplainOptions
from pqbed_cli.workflow_results import Explanation
from pqbed_cli.workflows.find_run import find_run, read_baseline
from pqbed_cli.workflows.show import DEFAULT_PERCENTILES, summary_rows


def explain(options: ExplainOptions) -> Explanation:
    """Explain the cells that match the filters, apart from those whose bytes on the wire are not known.

    Raises SpecError if no cell matches, or if none of those that do can be explained.
    """
    with open_run(find_run(options.run, options.out)) as run:
        cells = _measured_cells(run)
        baseline = read_baseline(run, options.baseline)
        explainer = Explainer(run.samples(), run.cells().collect(), cells, baseline)
        matching = _matching(cells, options)
        left_out = explainer.left_out(matching)
        explainable = set(matching) - {cell.cell_id for cell in left_out}
        explained = explainer.explain(explainable or matching)
        remedies = _remedies(run, cells, {cell.cell_id for cell in explained})
        return Explanation(run=run.path, cells=explained, left_out=left_out, remedies=remedies)


def _remedies(run: Run, cells: Mapping[str, Cell], explained: Collection[str]) -> tuple[RankedLink, ...]:
    """Return the remedies of the cells that are explained, if the run compares some."""
    if not has_remedies(cell.profile.name for cell in cells.values()):
        return ()
    links = rank_remedies(summary_rows(run, DEFAULT_PERCENTILES), list(CONDITIONS))
    return tuple(link for link in links if link.helped["cell_id"] in explained)


def _measured_cells(run: Run) -> dict[str, Cell]:
    """Return the cells of `run` by id. Raises StoreError if the run has none, or not those of its plan."""
    ids = run.cells().collect()["cell_id"]
    if ids.is_empty():
        raise StoreError(f"{run.path} has no cells yet", "wait until its first lane is open")
    planned = planned_cells(run.path)
    if missing := set(ids) - set(planned):
        raise StoreError(f"the plan in {run.path} has no cell {min(missing)}", "read it with the pqbed that made it")
    return {cell_id: planned[cell_id] for cell_id in ids}


def _matching(cells: Mapping[str, Cell], options: ExplainOptions) -> list[str]:
    """Return the ids of the cells that match all filters."""
    matching = [cell_id for cell_id in cells if cell_id.startswith(options.cell or "")]
    if options.cell is None and options.profile is None:  # the A/A arm costs what the baseline does
        matching = [cell_id for cell_id in matching if cells[cell_id].profile.copy_of is None]
    if options.profile is not None:
        names = options.profile.split(",")
        matching = [cell_id for cell_id in matching if cells[cell_id].profile.name in names]
    for option, text in options.axes.items():
        axis = AXES[option]
        values = axis.parse_values(text)
        matching = [cell_id for cell_id in matching if axis.value(cells[cell_id]) in values]
    if not matching:
        raise SpecError("no cell in this run matches these filters", "`pqbed show RUN` prints what the run holds")
    return matching
