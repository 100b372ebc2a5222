"""Sealed samples that changed on the disk are refused; runs of older versions have no sums and still read."""

import random
import subprocess
from pathlib import Path

import pytest

from pqbed.errors import StoreError
from pqbed.store import run_directory as run_module
from pqbed.store.journal import sample_to_line
from pqbed.store.run_directory import open_run
from support.sweeps import held, new_run, sample

PART = "part-lane-000-0001.parquet"


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Return the folder of a run with 3 + 2 samples in two parts."""
    with new_run(tmp_path) as run:
        for lane, numbers in enumerate((range(3), range(3, 5))):
            for number in numbers:
                run.journal(lane).append(sample(number))
        run.seal()
    return run.path


def test_any_flipped_bit_of_a_part_is_noticed_and_the_part_is_named(sealed: Path) -> None:
    part = sealed / "samples" / PART
    whole = part.read_bytes()
    draw = random.Random(3)
    for bit in draw.sample(range(8 * len(whole)), 300):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        part.write_bytes(damaged)
        with pytest.raises(StoreError, match=rf"{PART} is damaged"):
            open_run(sealed).samples()
    part.write_bytes(whole)
    assert len(held(open_run(sealed))) == 5


def test_a_run_with_a_damaged_part_cannot_be_resumed(sealed: Path) -> None:
    part = sealed / "samples" / PART
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with open_run(sealed) as run, pytest.raises(StoreError, match="damaged"):
        run.finished()


def test_a_part_that_is_gone_is_missed(sealed: Path) -> None:
    (sealed / "samples" / PART).unlink()
    with pytest.raises(StoreError, match=rf"{PART} is missing"):
        open_run(sealed).samples()


def test_a_run_without_sums_is_one_of_an_older_version(sealed: Path) -> None:
    (sealed / "SHA256SUMS").unlink()
    assert len(held(open_run(sealed))) == 5


def test_an_older_version_may_have_added_parts_without_a_sum(sealed: Path) -> None:
    sums = sealed / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if PART not in line))
    assert len(held(open_run(sealed))) == 5


@pytest.mark.parametrize("text", ["x\n", "0" * 64 + "  ../../etc/passwd\n", "0" * 63 + f"  samples/{PART}\n", "\xff\n"])
def test_damaged_sums_are_refused_by_name(sealed: Path, text: str) -> None:
    (sealed / "SHA256SUMS").write_text(text, encoding="latin-1")
    with pytest.raises(StoreError, match="SHA256SUMS has a line"):
        open_run(sealed).samples()


def test_sha256sum_reads_the_sums(sealed: Path) -> None:
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=sealed, check=False, capture_output=True).returncode == 0


def test_a_kill_between_the_sum_and_its_part_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_run(tmp_path) as run:
        run.journal(0).append(sample(0))
        with monkeypatch.context() as patched:
            patched.setattr(run_module, "write_atomic", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                run.seal()
    assert len(held(open_run(run.path))) == 1
    with open_run(run.path) as again:
        again.journal(0).append(sample(1))
        again.seal()
    assert len(held(open_run(run.path))) == 2


def test_a_sealed_journal_that_comes_back_is_not_a_second_copy(sealed: Path) -> None:
    (sealed / "journal" / "lane-000-0001.ndjson").write_bytes(b"".join(sample_to_line(sample(n)) for n in range(3)))
    with open_run(sealed) as run:
        run.seal()
    assert len(held(open_run(sealed))) == 5
