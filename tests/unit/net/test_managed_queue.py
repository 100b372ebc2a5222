import errno

import pytest

from pqbed.net.managed_queue import managed_queue_of, refusal_of
from pqbed.net.rtnetlink import RefusalError
from pqbed.spec.link import Link, QueueDiscipline
from pqbed.spec.link_end_shape import shape_stage
from pqbed.spec.tcp import Tcp
from support.units import KIB, MBIT, MS


@pytest.mark.parametrize("kind", ["tbf", "fq_codel", "pie", "cake"])
def test_a_kernel_that_lacks_a_queue_is_told_the_module(kind: str) -> None:
    refused = refusal_of(RefusalError(errno.ENOENT, "Specified qdisc kind is unknown"), "down-rate", kind)
    assert refused.message == f"this kernel has no sch_{kind}: Specified qdisc kind is unknown"
    assert f"modprobe -a sch_{kind}" in refused.hint


@pytest.mark.parametrize(
    ("discipline", "limit_packets", "queue_bytes", "burst_bytes"),
    [("fifo", 0, 64 * KIB, 1514), ("fq_codel", 43, 0, 1514), ("pie", 43, 0, 1514), ("cake", 0, 2 * 43 * 1514, 0)],
)
def test_each_discipline_has_its_size_in_its_own_unit(
    discipline: QueueDiscipline, limit_packets: int, queue_bytes: int, burst_bytes: int
) -> None:
    link = Link(rtt_ns=MS, bandwidth_bps=MBIT, layout="router", queue_bytes=64 * KIB, queue_discipline=discipline)
    queue = managed_queue_of(shape_stage(link, Tcp(), "down-rate", 1))
    assert queue is not None
    assert (queue.discipline, queue.limit_packets, queue.queue_bytes) == (discipline, limit_packets, queue_bytes)
    assert (queue.rate_bytes, queue.burst_bytes) == (MBIT // 8, burst_bytes)
    assert managed_queue_of(shape_stage(link, Tcp(), "down-delay", 1)) is None
