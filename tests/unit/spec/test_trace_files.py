from pathlib import Path

import pytest

from pqbed.errors import SpecError
from pqbed.spec.link_timeline import TraceStep
from pqbed.spec.sweep_toml import sweep_from
from pqbed.spec.trace_files import parse_trace, recall_trace, trace_names
from support.units import MBIT, MS


def written(folder: Path, text: str) -> str:
    path = folder / "trace.csv"
    path.write_text(text)
    return str(path)


def test_a_csv_is_read_and_lasts_as_long_as_its_rows(tmp_path: Path) -> None:
    trace = parse_trace(written(tmp_path, "# mine\ntime,rate,loss\n0,1,\n0.5s,200kbit,2%\n"), bare=True)
    assert trace is not None
    assert trace.steps == (
        TraceStep(at_ns=0, rate_bps=MBIT),
        TraceStep(at_ns=500 * MS, rate_bps=200_000, loss_ppm=20_000),
    )
    assert trace.period_ns == 1000 * MS


def test_deliveries_of_mahimahi_are_rates_and_a_gap_is_joined_to_what_follows(tmp_path: Path) -> None:
    trace = parse_trace(written(tmp_path, "".join(f"{ms}\n" for ms in (1, 50, 100, 350, 400))), bare=True)
    assert trace is not None
    assert [(step.at_ns // MS, step.rate_bps) for step in trace.steps] == [
        (0, 3 * 1504 * 80),
        (100, 2 * 1504 * 80 // 3),
    ]


@pytest.mark.parametrize("name", trace_names())
def test_the_traces_that_come_with_pqbed_are_whole(name: str) -> None:
    trace = parse_trace(name, bare=False)
    assert trace is not None
    assert len(trace.steps) >= 100
    assert all(step.rate_bps and step.delay_ns for step in trace.steps)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is empty"),
        ("time,speed\n0,1\n", "not the header"),
        ("time,rate\n", "not the header"),
        ("time,rate\n1,1\n", "must begin at 0"),
        ("time,rate\n0,1\n0,2\n", "must begin at 0 and grow"),
        ("time,rate\n0,fast\n", "fast"),
        ("time,rate\n0,1bit\n", "out of range"),
        ("5\n3\n", "do not grow"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(SpecError, match=wrong):
        parse_trace(written(tmp_path, text), bare=True)


def test_a_file_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="cannot be read") as refused:
        parse_trace("starlnk", bare=True)
    assert "did you mean 'starlink'" in refused.value.hint
    recalled = recall_trace("gone.csv")
    assert recalled is not None
    assert recalled.name == "gone.csv"


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        ({"trace": "lte"}, "--trace lte changes the rate"),
        ({"trace": "lte", "layout": "router", "queue": "limit:100"}, "netem's own limit"),
    ],
)
def test_a_trace_where_it_cannot_be_is_refused(texts: dict[str, str], wrong: str) -> None:
    with pytest.raises(SpecError, match=wrong):
        sweep_from(texts, bare=True)
