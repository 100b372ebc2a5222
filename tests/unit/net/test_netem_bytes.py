"""Our RTM_NEWQDISC against what iproute2's tc sends for the same settings (netem/*.hex, by netem/capture.sh).

What differs on purpose, and nothing else:
- the handle: ours names the distribution table, tc leaves it to the kernel;
- order of attributes: the kernel does not look at it;
- we send every attribute, tc those of the command: what tc leaves out must be zero in ours;
- RATE64: we send it for every rate, tc from 2^32 bytes a second on. The kernel takes the larger of RATE and RATE64;
- tables are computed, not read from a file: within one unit, but for the first normal quantile, -4.009 sigma,
  which iproute2 has cut at the end of int16 as we do.
"""

import struct
from pathlib import Path
from typing import Any

import pytest

from pqbed.net.netem import Netem, message, odds_of
from pqbed.net.rtnetlink import HEADER, NLM_F_CREATE, NLM_F_EXCL, attributes, encode
from pqbed.net.tc_messages import RTM_NEWQDISC
from pqbed.spec.link import GilbertElliott, RandomLoss
from support.units import MS

FOLDER = Path(__file__).parents[2] / "golden" / "netem"
TCMSG_BYTES, QOPT_BYTES = 20, 24
CORR, DELAY_DIST, LOSS, RATE, RATE64, LATENCY64, JITTER64, PRNG_SEED = 1, 2, 5, 6, 8, 10, 11, 14
KIND, OPTIONS = 1, 2


def netem(**changed: Any) -> Any:
    loss, burst_loss = odds_of(changed.pop("loss", RandomLoss()))
    plain: dict[str, Any] = {
        "delay_ns": 0,
        "jitter_ns": 0,
        "distribution": "uniform",
        "loss": loss,
        "burst_loss": burst_loss,
        "rate_bytes": 0,
        "limit_packets": 1000,
        "seed": 0,
    }
    return Netem(**plain | changed)


CASES = {
    "delay": netem(delay_ns=17_500_000),
    "delay-odd-ns": netem(delay_ns=17_500_001),
    "delay-long": netem(delay_ns=5_000 * MS, limit_packets=77),
    "jitter": netem(delay_ns=20 * MS, jitter_ns=MS),
    "jitter-normal": netem(delay_ns=20 * MS, jitter_ns=MS, distribution="normal"),
    "jitter-pareto": netem(delay_ns=20 * MS, jitter_ns=MS, distribution="pareto"),
    "jitter-paretonormal": netem(delay_ns=20 * MS, jitter_ns=MS, distribution="paretonormal"),
    "loss-1-percent": netem(loss=RandomLoss(probability_ppm=10_000)),
    "loss-all": netem(loss=RandomLoss(probability_ppm=1_000_000)),
    "loss-gilbert-elliott": netem(
        loss=GilbertElliott(
            enter_bad_ppm=10_000, leave_bad_ppm=200_000, loss_in_bad_ppm=800_000, loss_in_good_ppm=5_000
        )
    ),
    "rate": netem(rate_bytes=125_000),
    "rate-over-32-bit": netem(rate_bytes=12_500_000_000),
    "seed": netem(seed=12345678901234567890),
    "everything": netem(
        delay_ns=100 * MS,
        jitter_ns=3 * MS,
        distribution="normal",
        loss=GilbertElliott(enter_bad_ppm=20_000, leave_bad_ppm=300_000),
        rate_bytes=1_250_000,
        limit_packets=4321,
        seed=2**64 - 1,
    ),
}


def stored(name: str) -> bytes:
    lines = (FOLDER / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


def options(data: bytes) -> bytes:
    return attributes(data, HEADER.size + TCMSG_BYTES)[OPTIONS]


def test_every_stored_message_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.hex")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_message_is_that_of_tc(name: str) -> None:
    theirs = stored(name)
    ours = bytes(encode(message(1, CASES[name]), RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL))

    assert header_without_length(ours) == header_without_length(theirs)
    assert len(ours) == struct.unpack_from("=I", ours)[0]
    assert tcmsg_without_handle(ours) == tcmsg_without_handle(theirs)
    assert attributes(ours, HEADER.size + TCMSG_BYTES)[KIND] == b"netem\0"
    assert options(ours)[:QOPT_BYTES] == options(theirs)[:QOPT_BYTES]
    compare_attributes(attributes(options(ours), QOPT_BYTES), attributes(options(theirs), QOPT_BYTES))


def test_loss_is_marked_nested_as_tc_marks_it() -> None:
    marked = struct.pack("=H", 0x8000 | LOSS)
    assert marked in options(stored("loss-gilbert-elliott"))
    assert marked in options(bytes(encode(message(1, CASES["loss-gilbert-elliott"]), RTM_NEWQDISC, 0)))


def header_without_length(data: bytes) -> tuple[int, ...]:
    """Type, flags, sequence number, port."""
    return HEADER.unpack_from(data)[1:]


def tcmsg_without_handle(data: bytes) -> tuple[int, ...]:
    family, index, _, parent, info = struct.unpack_from("=IiIII", data, HEADER.size)
    return family, index, parent, info


def compare_attributes(ours: dict[int, bytes], theirs: dict[int, bytes]) -> None:
    if DELAY_DIST in theirs:
        compare_tables(ours.pop(DELAY_DIST), theirs.pop(DELAY_DIST))
    if RATE in theirs and RATE64 not in theirs:
        (rate64,) = struct.unpack("=Q", ours.pop(RATE64))
        assert rate64 == struct.unpack_from("=I", theirs[RATE])[0]
    for kind, value in theirs.items():
        assert ours.pop(kind) == value
    for value in ours.values():
        assert not any(value)


def compare_tables(ours: bytes, theirs: bytes) -> None:
    assert len(ours) == len(theirs) == 8192
    pairs = zip(struct.unpack("=4096h", ours), struct.unpack("=4096h", theirs), strict=True)
    assert max(abs(mine - other) for mine, other in pairs) <= 1
