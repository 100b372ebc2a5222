"""The checks of a stored run."""

from collections.abc import Iterator

from pqbed.store.run_directory import open_run
from pqbed.verify_run import RunCheck, verify_run
from pqbed_cli.options import VerifyOptions
from pqbed_cli.workflows.find_run import find_run


def verify(options: VerifyOptions) -> Iterator[RunCheck]:
    """Yield the checks of the run that is named, as they are made."""
    with open_run(find_run(options.run, options.out)) as run:
        yield from verify_run(run)
