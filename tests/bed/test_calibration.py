"""Calibration passes links that are as asked, and names what is wrong with those that are not, and that alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.calibrate.deviations import judge
from pqbed.calibrate.measurement import LinkMeasurement
from pqbed.spec.json_codec import from_json
from support.wrong_links import OTHERS, RIGHT, WRONG, Wrong

pytestmark = pytest.mark.uml

FALSE = {**WRONG, **OTHERS}


@pytest.fixture(scope="module")
def measured(uml_guest_run: Callable[..., list[dict[str, Any]]]) -> dict[str, LinkMeasurement]:
    rows = uml_guest_run(Path(__file__).with_name("guest_calibration.py"))
    return {row["name"]: from_json(LinkMeasurement, row["measured"]) for row in rows}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_link_passes(measured: dict[str, LinkMeasurement], name: str) -> None:
    assert [deviation.text for deviation in judge(*RIGHT[name], measured[name], "virtual")] == []


@pytest.mark.parametrize("name", FALSE)
def test_a_wrong_link_is_named_and_only_for_what_is_wrong(measured: dict[str, LinkMeasurement], name: str) -> None:
    wrong: Wrong = FALSE[name]
    found = judge(wrong.asked, wrong.tcp, measured[name], "virtual")
    assert {(one.what, one.where) for one in found} == wrong.found, [one.text for one in found]
