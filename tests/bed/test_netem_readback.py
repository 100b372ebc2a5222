"""net/ against a kernel that has netem: each check of support/netem_checks is a test."""

from pathlib import Path
from typing import Any

import pytest

from support.guest import RunInGuest
from support.netem_checks import CHECKS

SCRIPT = Path(__file__).with_name("guest_netem_checks.py")

pytestmark = pytest.mark.uml


@pytest.fixture(scope="module")
def records(uml_guest_run: RunInGuest) -> dict[str, dict[str, Any]]:
    return {record["check"]: record for record in uml_guest_run(SCRIPT)}


@pytest.mark.parametrize("name", [check.__name__ for check in CHECKS])
def test_guest(records: dict[str, dict[str, Any]], name: str) -> None:
    assert name in records, f"the guest ended before it: {list(records)}"
    assert records[name]["ok"], records[name]["detail"]
