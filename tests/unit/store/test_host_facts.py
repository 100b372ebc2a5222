"""Facts of this host are what its files say; what cannot be read is empty."""

import os
from pathlib import Path

import pytest

from pqbed.store import host_facts
from pqbed.store.host_facts import read_host


def test_the_model_of_the_cpu_is_that_of_cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nvendor_id\t: Other\nmodel name\t: Fast CPU 3000\n")
    monkeypatch.setattr(host_facts, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(host_facts, "_GOVERNOR", tmp_path / "absent")
    facts = read_host()
    assert (facts.cpu_model, facts.governor) == ("Fast CPU 3000", "")


def test_a_load_that_cannot_be_read_is_minus_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> tuple[float, float, float]:
        raise OSError

    monkeypatch.setattr(os, "getloadavg", unreadable)
    assert read_host().load_1min == -1


def test_the_load_is_that_of_the_last_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 2.0, 3.0))
    assert read_host().load_1min == 1
