"""Calibration judges what a guest's kernel did to right links and to wrong ones (recorded by bed/record_guest.py)."""

import json
from pathlib import Path

import pytest

from pqbed.calibrate.deviations import judge
from pqbed.calibrate.measurement import LinkMeasurement
from pqbed.spec.json_codec import from_json
from support.wrong_links import OTHERS, RIGHT, WRONG

LINKS = json.loads((Path(__file__).parents[2] / "golden" / "guest" / "calibration.json").read_text())["links"]
FALSE = {**WRONG, **OTHERS}


@pytest.mark.parametrize("name", [name for name in RIGHT if name in LINKS])
def test_a_right_link_passes(name: str) -> None:
    measured = from_json(LinkMeasurement, LINKS[name])
    assert [deviation.text for deviation in judge(*RIGHT[name], measured, "virtual")] == []


@pytest.mark.parametrize("name", [name for name in FALSE if name in LINKS])
def test_a_wrong_link_is_named_and_only_for_what_is_wrong(name: str) -> None:
    wrong = FALSE[name]
    found = judge(wrong.asked, wrong.tcp, from_json(LinkMeasurement, LINKS[name]), "virtual")
    assert {(one.what, one.where) for one in found} == wrong.found, [one.text for one in found]
