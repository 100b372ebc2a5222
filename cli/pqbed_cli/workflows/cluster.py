"""A sweep on a cluster: opened, checked against the request, and the plan executed on it with progress."""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqbed.cluster.cluster_address import parse_cluster_address
from pqbed.cluster.open_cluster import open_cluster, worker_threads
from pqbed.errors import SpecError
from pqbed.spec.run_options import Clock
from pqbed_cli.options import PlanOptions
from pqbed_cli.render.streams import note
from pqbed_cli.workflow_results import SettledSweep

if TYPE_CHECKING:
    from distributed import Client

    from pqbed.runner import SweepOutcome
    from pqbed.store.run_directory import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedCluster:
    """A cluster with `threads`, each of which keeps one lane busy."""

    client: "Client"
    threads: int


@contextlib.contextmanager
def join_cluster(options: PlanOptions, clock: Clock, *, precise: bool) -> Iterator[JoinedCluster | None]:
    """Yield the cluster that --cluster names, None without it. `precise`: the sweep ends when it is precise enough.

    Raises SpecError, HostError.
    """
    if options.cluster is None:
        yield None
        return
    address = parse_cluster_address(options.cluster)
    _refuse(options, clock, precise=precise)
    with open_cluster(address) as client:
        threads = worker_threads(client)
        note(f"cluster: {_counted(len(threads), 'worker')}, {_counted(sum(threads.values()), 'lane')}")
        note(f"dashboard: {client.dashboard_link}")
        yield JoinedCluster(client=client, threads=sum(threads.values()))


def execute_on_cluster(
    settled: SettledSweep, cluster: JoinedCluster, run: "Run", resume_command: str
) -> "SweepOutcome":
    """Measure what `run` lacks of the plan."""
    from pqbed.cluster.execute_on_cluster import run_on_cluster
    from pqbed.cluster.worker_bed import make_worker_bed
    from pqbed.cluster.worker_identity import identify
    from pqbed.cluster.worker_lanes import WorkerSetup
    from pqbed_cli.workflows.execute_plan import noting_resumption, showing_progress

    note(f"run: {run.path}")
    setup = WorkerSetup(
        plan=settled.plan,
        manifest=run.manifest,
        calibrate=settled.options.calibrate,
        identity=identify(run.manifest.artefacts),
        make_bed=functools.partial(make_worker_bed, settled.bed, settled.clock, settled.options.kernel),
    )
    with noting_resumption(run, resume_command), showing_progress(settled.plan, run, None) as on_event:
        return run_on_cluster(setup, cluster.client, run, clock=settled.clock, on_event=on_event)


def expect_lanes(options: PlanOptions, clock: Clock, *, precise: bool) -> int | None:
    """Return how many lanes the cluster that --cluster names has, None without it. Starts no worker."""
    if options.cluster is None:
        return None
    address = parse_cluster_address(options.cluster)
    _refuse(options, clock, precise=precise)
    if address.workers is not None:
        return address.workers
    with open_cluster(address) as client:
        return sum(worker_threads(client).values())


def _refuse(options: PlanOptions, clock: Clock, *, precise: bool) -> None:
    """Raise SpecError for what needs one machine."""
    if options.lanes is not None:
        raise SpecError("--lanes and --cluster cannot be used together", "a cluster has a lane per thread of a worker")
    if clock == "real":
        raise SpecError(
            "--cluster needs the virtual clock: on the real one, samples of several hosts are not comparable",
            "use --bed uml --clock virtual, or leave --cluster out",
        )
    if precise:
        raise SpecError(
            "a sweep with a precision cannot be spread over a cluster: what is fetched next depends on all samples",
            "give the number of samples (--samples 1000), or leave --cluster out",
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
