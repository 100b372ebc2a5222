from typing import Any

import pytest

from pqbed.store.table_schemas import CELLS
from pqbed_cli.render.answer_line import answer_lines
from support.units import MS


def row(size_kib: int, increase: float | None, finding: str | None, **changes: Any) -> dict[str, Any]:
    known = {
        "profile": "pq",
        "baseline": "classical",
        "copy_of": None,
        "rtt_ns": 35 * MS,
        "bandwidth_bps": 1_000_000,
        "loss_ppm": 0,
        "loss_model": "random",
        "layout": "ends",
        "size_bytes": size_kib * 1024,
        "increase_p50_pct": increase,
        "finding_p50": finding,
    }
    return {**dict.fromkeys(CELLS), **known, **changes}


BASE = row(0, None, None, profile="classical", baseline=None)
FAR = {"rtt_ns": 200 * MS}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([BASE], []),
        ([BASE, row(0, 90.3, "differs")], ["pq takes 1.90 times as long as classical at p50"]),
        (
            [row(0, 90.3, "differs"), row(50, 6.7, "differs"), row(0, 32.0, "differs", **FAR)],
            ["pq takes 1.07 to 1.90 times as long as classical at p50, most at 0B, rtt 35ms"],
        ),
        (
            [row(0, 12.0, "differs"), row(50, 0.2, "equivalent"), row(50, 1.0, "within noise", profile="hybrid")],
            [
                "pq takes 1.12 times as long as classical at p50; no difference from classical in 1 of 2 cells",
                "hybrid: no difference from classical",
            ],
        ),
        ([row(0, 33.0, "undecided"), row(50, 6.0, "undecided")], ["pq: too few samples to tell"]),
        (
            [row(0, 33.0, "differs"), row(20, 9.0, "undecided"), row(50, 0.0, "equivalent")],
            [
                (
                    "pq takes 1.33 times as long as classical at p50; no difference from classical in 1 of 3 cells; "
                    "too few samples to tell in 1 of 3 cells"
                )
            ],
        ),
        ([row(0, -20.0, "differs")], ["pq takes 0.80 times as long as classical at p50"]),
        ([row(0, 3.0, "differs", copy_of="classical")], []),
    ],
)
def test_each_profile_has_its_sentence(rows: list[dict[str, Any]], said: list[str]) -> None:
    assert list(answer_lines(rows)) == said
