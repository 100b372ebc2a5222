from pathlib import Path

import pytest

from pqbed.errors import SpecError, StoreError
from pqbed.net.packet_ring_capture import Room, room_for
from pqbed.spec.sweep_toml import sweep_from
from pqbed.trace.take_trace import one_cell
from pqbed.trace.trace_folder import KEY_LOG_NAME, write_trace

ONE = {"rtt": "200", "bandwidth": "1", "size": "50", "profile": "pq"}


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "out", "a name", {"client.pcap": b"1"}, "SECRET")
    assert path.name.endswith("Z-a-name")
    assert (path / KEY_LOG_NAME).stat().st_mode & 0o777 == 0o600
    assert {file.name for file in path.iterdir()} == {"client.pcap", KEY_LOG_NAME}
    assert list(path.parent.iterdir()) == [path]


def test_a_trace_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        write_trace(tmp_path, "trace", {"no/such/folder": b"1"}, "SECRET")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "values"),
    [("rtt", "35,200"), ("bandwidth-up", "1,2"), ("profile", "pq,classical"), ("queue", "10,20"), ("initcwnd", "1,2")],
)
def test_several_values_are_refused_by_the_name_of_the_option(option: str, values: str) -> None:
    sweep, _ = sweep_from(ONE | {option.replace("-", "_"): values}, bare=True)
    with pytest.raises(SpecError, match=f"--{option} has 2 values"):
        one_cell(sweep)


def test_a_copy_of_the_baseline_is_no_second_cell() -> None:
    sweep, _ = sweep_from({**ONE, "aa": True}, bare=True)
    assert not one_cell(sweep).aa


@pytest.mark.parametrize("super_packets", [False, True])
@pytest.mark.parametrize("size_bytes", [0, 204_800, 10**9])
def test_a_ring_is_what_the_kernel_takes(super_packets: bool, size_bytes: int) -> None:
    room = room_for(size_bytes, 1500, super_packets=super_packets)
    assert room.slot_bytes % 16 == 0
    assert max(room.slot_bytes, 4096) % min(room.slot_bytes, 4096) == 0
    assert room.slots * room.slot_bytes % 4096 == 0
    assert room.slots * room.slot_bytes <= 24 << 20
    assert Room(frames=512, frame_bytes=1514).slot_bytes == 2048
