"""Verdicts as JUnit XML, as CI systems read it: one suite per threshold, one case per cell."""

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from pqbed.gate.threshold_verdict import ThresholdVerdict, breaks_gate


def to_junit(verdicts: Sequence[ThresholdVerdict]) -> bytes:
    """Return the XML document. What is undecided is a case that passed, with a word on it in its output."""
    suites = ET.Element("testsuites", name="pqbed")
    for text, group in groupby(verdicts, key=lambda verdict: verdict.threshold.text):
        members = list(group)
        failed = sum(breaks_gate([verdict]) for verdict in members)
        suite = ET.SubElement(suites, "testsuite", name=text, tests=str(len(members)), failures=str(failed), errors="0")
        for verdict in members:
            _add_case(suite, verdict)
    ET.indent(suites)
    content: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add_case(suite: ET.Element, verdict: ThresholdVerdict) -> None:
    case = ET.SubElement(suite, "testcase", classname=verdict.profile, name=verdict.where)
    if breaks_gate([verdict]):
        failure = ET.SubElement(case, "failure", type=verdict.status, message=verdict.measured)
        failure.text = f"{verdict.threshold.text}: {verdict.measured}"
    else:
        ET.SubElement(case, "system-out").text = f"{verdict.status}: {verdict.measured}"
