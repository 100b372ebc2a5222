import pytest

from pqbed.errors import SpecError
from pqbed.net.middlebox_filters import above
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import STAGES, shape_end, shape_stage
from pqbed.spec.middlebox import LARGEST_RECORD, Middlebox, format_middlebox, parse_middlebox
from pqbed.spec.tcp import Tcp


@pytest.mark.parametrize("text", ["none", "hello-tail", "hello-above:1400"])
def test_a_middlebox_is_read_and_written(text: str) -> None:
    assert format_middlebox(parse_middlebox(text, bare=True)) == text


@pytest.mark.parametrize("text", ["", "hello", "hello-above", "hello-above:0", "hello-above:16384", "hello-tail:5"])
def test_what_is_no_middlebox_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_middlebox(text, bare=True)


@pytest.mark.parametrize("size", [1, 251, 1400, 1423, 16_382, 16_383])
def test_records_above_a_size_are_matched_and_no_others(size: int) -> None:
    rules = list(above(size))
    matched = [number for number in range(LARGEST_RECORD + 1) if any(number & mask == value for value, mask in rules)]
    assert matched == list(range(size + 1, LARGEST_RECORD + 1))


def test_it_stands_on_the_way_to_the_server() -> None:
    box = Middlebox(drops="hello-tail")
    ends, routed = Link(rtt_ns=1, middlebox=box), Link(rtt_ns=1, layout="router", middlebox=box)
    assert (shape_end(ends, Tcp(), "client", 1).middlebox, shape_end(ends, Tcp(), "server", 1).middlebox) == (box, None)
    assert [stage for stage in STAGES if shape_stage(routed, Tcp(), stage, 1).middlebox] == ["up-delay"]
    assert shape_end(routed, Tcp(), "client", 1).middlebox is None
