from pqbed.report.losing_path import describe_middlebox
from pqbed.spec.cell import Cell
from pqbed.spec.link import Link
from pqbed.spec.middlebox import Middlebox
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload
from support.profiles import PQ


def cell(middlebox: Middlebox | None) -> Cell:
    link = Link(rtt_ns=1, middlebox=middlebox)
    return Cell(link=link, tcp=Tcp(mtu=1280), profile=PQ, workload=Workload(size_bytes=0))


def test_what_a_middlebox_loses_is_said() -> None:
    assert describe_middlebox(cell(None)) == ""
    tail = describe_middlebox(cell(Middlebox(drops="hello-tail")))
    assert (
        "what follows the first segment of a ClientHello: one that does not fit into 1280 bytes is sent again" in tail
    )
    large = describe_middlebox(cell(Middlebox(drops="hello-above", size_bytes=1400)))
    assert "ClientHellos with a TLS record above 1400 bytes: one that is larger is sent again until" in large
