"""A cluster opened for one sweep: the client of Dask's scheduler, and worker processes where they are ours."""

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pqbed.cluster.cluster_address import ClusterAddress
from pqbed.errors import HostError

if TYPE_CHECKING:
    from distributed import Client

# From distributed's configuration reference. A task whose third worker dies under it is not tried on a fourth; a worker
# is given a task when it has none, so that no task is blamed for a death while it only waited.
OF_OWN_SCHEDULER = {"distributed.scheduler.allowed-failures": 2, "distributed.scheduler.worker-saturation": 1.0}
CONNECT_S = 15.0
# A cluster that is being started may need a while until its first worker has joined.
FIRST_WORKER_S = 60.0
_EXTRA = 'install the extra: pip install "pqbed[cluster]"'


@contextlib.contextmanager
def open_cluster(address: ClusterAddress) -> Iterator["Client"]:
    """Yield a client with at least one worker. Raises HostError."""
    try:
        import dask  # noqa: PLC0415 (an extra)
        from distributed import Client, LocalCluster  # noqa: PLC0415
    except ImportError as error:
        raise HostError(f"a cluster needs Dask, which is not installed: {error}", _EXTRA) from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(OF_OWN_SCHEDULER))
        where: object = address.scheduler
        if address.workers is not None:
            cluster = LocalCluster(
                n_workers=address.workers,
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
            where = stack.enter_context(cluster)
        try:
            extra = {"scheduler_file": str(address.file)} if address.file is not None else {"address": where}
            client = stack.enter_context(Client(timeout=CONNECT_S, **extra))
            client.wait_for_workers(1, timeout=FIRST_WORKER_S)
        except (OSError, ValueError) as error:  # a time-out is an OSError; a file that holds no address is not
            place = address.scheduler or address.file or "this machine"
            raise HostError(
                f"no cluster with a worker at {place}: {str(error) or type(error).__name__}",
                "start a scheduler and workers (docs/how-to/cluster.md), and name the scheduler's address",
            ) from error
        yield client


def worker_threads(client: "Client") -> dict[str, int]:
    """Return the number of threads of each worker, by address: as many lanes can it keep busy."""
    return dict(client.nthreads())
