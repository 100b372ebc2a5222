"""How many differences chance alone explains: what dd-012 measured, never at least one."""

from typing import Any

import pytest

from pqbed.stats.classify_difference import DEFAULT_MARGIN
from pqbed_cli.render.run_comparison import count_line


def row(finding: Any, noise_pct: Any, low: Any = -1.0, high: Any = 1.0) -> Any:
    return {"finding": finding, "noise_pct": noise_pct, "change_low_pct": low, "change_high_pct": high}


@pytest.mark.parametrize(
    ("rows", "chance"),
    [
        ([row("differs", 1.5)] * 4, "; if all 4 were equal, about 0.04 would be called differs by chance"),
        ([row("differs", None)] * 4, "; if all 4 were equal, about 0.2 would be called differs by chance"),
        ([row("within noise", None)] * 200, "; if all 200 were equal, about 10 would be called differs by chance"),
        (
            [row("within noise", 0.1), row("undecided", None)],
            "; if all 2 were equal, about 0.06 would be called differs by chance",
        ),
        ([row("undecided", None, None, None)], ""),
    ],
)
def test_the_expected_number_of_false_findings(rows: Any, chance: Any) -> None:
    line = count_line(rows, DEFAULT_MARGIN)
    assert line.startswith("b against a, at 95%, equivalent within ±1%: ")
    assert line.partition(rows[-1]["finding"])[2].partition(";")[2] == chance.removeprefix(";")
