from pathlib import Path

import polars as pl
import pytest

from pqbed.beds.fake_bed import FakeBed
from pqbed.runner.measure_cpu import measure_cpu
from pqbed.stats.cpu_cost import cpu_costs
from pqbed.store.cpu_table import CPU
from support.profiles import PQ
from support.sweeps import CLASSIC, new_run


def measured() -> pl.DataFrame:
    return measure_cpu(FakeBed(clock="real"), (CLASSIC, PQ), (0, 51_200), 4, lanes=2)


def test_every_profile_and_size_is_fetched_on_every_lane_without_warm_ups() -> None:
    rows = measured()
    assert rows.schema == CPU
    counts = rows.group_by("profile", "size_bytes", "lane").agg(pl.len())
    assert (counts.height, set(counts["len"])) == (8, {4})
    assert set(rows["repetition"]) == {0, 1, 2, 3}


def test_it_is_kept_beside_the_samples_and_not_among_them(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        assert run.cpu().collect().is_empty()
        rows = measured()
        run.write_cpu(rows)
        assert run.cpu().collect().equals(rows)
        assert run.samples().collect().is_empty()


def test_the_term_is_a_handshake_of_all_sizes_and_what_follows_of_one() -> None:
    def row(size_bytes: int, tls_done: int, last_byte: int, outcome: str = "ok") -> dict[str, object]:
        return {
            "profile": "pq",
            "size_bytes": size_bytes,
            "outcome": outcome,
            "tls_done_ns": tls_done,
            "last_byte_ns": last_byte,
        }

    rows = [row(0, 10, 12), row(0, 20, 22), row(100, 30, 37), row(100, 90, 99, "timeout"), row(100, 40, 47)]
    costs = cpu_costs(pl.DataFrame(rows))
    assert costs["pq", 0].handshake_ns == costs["pq", 100].handshake_ns == 25
    assert (costs["pq", 0].ttlb_ns, costs["pq", 100].ttlb_ns) == pytest.approx((27, 32))
    assert cpu_costs(CPU.to_frame()) == {}
