# ruff: noqa: INP001 (a script, no package)
"""Make the synthetic traces that come with pqbed (testbed/pqbed/spec/presets/traces).

lte: a rate that wanders around 12 Mbit/s down (log-normal, correlated over 0.9 of a step of 0.2 s, as cell load and
fading make it), delays of 25 to 45 ms, no loss: link-layer retransmission turns loss into delay.
starlink: 15 s slots with a delay and a rate of their own, as satellites are reassigned (Mohan et al., WWW 2024), and
some loss at each change of slot.
"""

import math
import random
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "testbed/pqbed/spec/presets/traces"
SEED = 14


def lte() -> list[str]:
    draw, level, rows = random.Random(SEED), 0.0, list[str]()
    for step in range(300):
        level = 0.9 * level + draw.gauss(0, 0.25)
        delay_ms = 25 + 20 * draw.random() ** 2
        rows.append(f"{step / 5:.1f}s,{12 * math.exp(level):.2f}mbit,{delay_ms:.1f}ms,0%")
    return rows


def starlink() -> list[str]:
    draw, rows = random.Random(SEED + 1), list[str]()
    for slot in range(8):
        rate_mbit, delay_ms = draw.uniform(40, 220), draw.uniform(18, 35)
        for part in range(15):
            lost = 2 if part == 0 else 0
            rate = rate_mbit * draw.uniform(0.85, 1.15)
            rows.append(f"{15 * slot + part}s,{rate:.1f}mbit,{delay_ms + draw.uniform(0, 3):.1f}ms,{lost}%")
    return rows


def main() -> None:
    for name, rows in {"lte": lte(), "starlink": starlink()}.items():
        head = f"# Synthetic, {name}-like: scripts/make_traces.py\ntime,rate,delay,loss"
        (FOLDER / f"{name}.csv").write_text("\n".join([head, *rows]) + "\n")


if __name__ == "__main__":
    main()
