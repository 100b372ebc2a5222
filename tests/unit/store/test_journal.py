import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.errors import StoreError
from pqbed.spec.sample import Fetch, Sample, Timings
from pqbed.store.journal import Journal, read_journal, sample_to_line
from pqbed.store.table_schemas import OUTCOMES, SAMPLES, sample_from_row
from support.sweeps import sample

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SAMPLE = st.builds(
    Sample,
    fetch=st.builds(Fetch, cell_id=TEXT, block=INT64, repetition=INT64, seed=st.integers(0, 2**64 - 1)),
    timings=st.builds(
        Timings,
        outcome=st.sampled_from(OUTCOMES),
        detail=TEXT,
        **{name: st.none() | INT64 for name in Timings.__annotations__ if SAMPLES[name] == SAMPLES["lost"]},
        group=st.none() | TEXT,
        signature=st.none() | TEXT,
    ),
    lane=INT64,
    bed=TEXT,
    clock=TEXT,
    kernel=TEXT,
    host=TEXT,
)


def read_samples(path: Path) -> list[Sample]:
    return [sample_from_row(row) for row in read_journal(path).to_dicts()]


@given(samples=st.lists(SAMPLE, max_size=4))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> None:
    path = tmp_path_factory.mktemp("journal") / "lane-000-0001.ndjson"
    journal = Journal(path)
    for each in samples:
        journal.append(each)
    journal.close()
    assert read_samples(path) == samples


@given(cut=st.integers(0, 400))
def test_a_torn_last_line_is_dropped_and_no_other(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "lane-000-0001.ndjson"
    lines = [sample_to_line(sample(number)) for number in range(3)]
    path.write_bytes(lines[0] + lines[1] + lines[2][: min(cut, len(lines[2]) - 1)])
    assert read_samples(path) == [sample(0), sample(1)]


def test_a_line_is_readable_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "lane-000-0001.ndjson")
    journal.append(sample(0))
    assert read_samples(journal.path) == [sample(0)]
    journal.close()


@pytest.mark.parametrize("line", [b"\0\0\0\0\n", b'{"cell_id": 3, "seed": "x"}\n', b'{"cell_id": "a", "blo\n', b"[]\n"])
def test_a_bad_line_in_the_middle_is_an_error(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "lane-000-0001.ndjson"
    path.write_bytes(sample_to_line(sample(0)) + line + sample_to_line(sample(1)))
    with pytest.raises(StoreError, match="contains a line that is no sample"):
        read_journal(path)


def test_a_line_is_one_json_object_with_the_columns_of_the_schema() -> None:
    line = sample_to_line(sample(3, detail="two\nlines"))
    assert line.count(b"\n") == 1
    assert list(json.loads(line)) == list(SAMPLES)


def test_what_is_not_text_does_not_stop_a_sweep(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "lane-000-0001.ndjson")
    journal.append(sample(0, outcome="tls_error", detail="bad \udc80 byte"))
    journal.close()
    assert read_samples(journal.path)[0].timings.detail == "bad ? byte"


def test_nothing_is_appended_to_a_closed_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "lane-000-0001.ndjson")
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="closed"):
        journal.append(sample(0))


def test_a_journal_never_overwrites_another(tmp_path: Path) -> None:
    Journal(tmp_path / "lane-000-0001.ndjson").close()
    with pytest.raises(StoreError):
        Journal(tmp_path / "lane-000-0001.ndjson")


def test_seeds_use_all_64_bits() -> None:
    assert sample(0).fetch.seed == 2**64 - 1
    assert replace(sample(0), lane=1) != sample(0)
