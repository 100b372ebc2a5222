"""net/ against a kernel that has netem: the checks of guest_netem_checks.py, each a test."""

from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("guest_netem_checks.py")
NAMES = [
    line.removeprefix("def ").partition("(")[0]
    for before, line in zip(SCRIPT.read_text().splitlines(), SCRIPT.read_text().splitlines()[1:], strict=False)
    if before == "@check"
]

pytestmark = pytest.mark.uml


@pytest.fixture(scope="module")
def records(uml_guest_run):
    return {record["check"]: record for record in uml_guest_run(SCRIPT)}


@pytest.mark.parametrize("name", NAMES)
def test_guest(records, name):
    assert name in records, f"the guest ended before it: {list(records)}"
    assert records[name]["ok"], records[name]["detail"]
