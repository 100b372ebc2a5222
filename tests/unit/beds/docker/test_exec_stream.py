"""The engine's multiplexed stream, put together into lines again."""

import pytest

from pqbed.agent.rpc_client import RpcClient
from pqbed.beds.docker.exec_stream import ContainerProcess, Demultiplexer
from pqbed.beds.docker.uml_container import open_uml_process
from pqbed.errors import LaneError, LaneGoneError
from support.fake_engine import FakeEngine, Scripted, frame


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 1000])
def test_frames_come_whole_however_the_bytes_are_cut(size: int) -> None:
    data = frame(1, b"one\n") + frame(2, b"") + frame(1, b"two")
    cut = [data[start : start + size] for start in range(0, len(data), size)]
    demultiplexer = Demultiplexer()
    assert [one for piece in cut for one in demultiplexer.feed(piece)] == [(1, b"one\n"), (2, b""), (1, b"two")]


def test_lines_are_those_of_the_output_alone() -> None:
    process = ContainerProcess(
        Scripted([frame(1, b"a\nb"), frame(2, b"oh "), frame(1, b"c\n") + frame(2, b"no\n")]), "x"
    )
    assert [process.readline(1) for _ in range(3)] == ["a\n", "bc\n", ""]
    assert process.last_words() == "oh no"


def test_silence_is_an_error_with_the_name_of_the_part() -> None:
    with pytest.raises(LaneError, match="server of lane 0 sent nothing for 2 s"):
        ContainerProcess(Scripted([], ends=False), "server of lane 0").readline(2)


def test_close_ends_the_input_waits_and_does_it_once() -> None:
    connection = Scripted([frame(1, b"late\n")], ends=False)
    process = ContainerProcess(connection, "x")
    process.close()
    process.close()
    assert (connection.input_ended, connection.closed, connection.chunks) == (1, 1, [])


def test_a_channel_speaks_over_it() -> None:
    connection = Scripted([frame(1, b'{"id":0,"done":null}\n'), frame(1, b'{"id":1,"do'), frame(1, b'ne":true}\n')])
    process = ContainerProcess(connection, "x")
    channel = RpcClient(process.write, lambda: process.readline(1), "x")
    channel.wait_ready()
    assert channel.call("alive", {}) is True
    assert connection.written == b'{"id":1,"call":"alive","with":{}}\n'


@pytest.mark.parametrize("out_of_memory", [True, False])
def test_a_guest_whose_container_ran_out_of_memory_is_gone_with_that_reason(out_of_memory: bool) -> None:
    engine = FakeEngine(connection=Scripted([frame(1, b"boot\n")]))
    process = open_uml_process(engine, "sha256:guest", ("linux",), "guest 0")
    (container,) = engine.things
    engine.out_of_memory = {container} if out_of_memory else set()
    assert process.readline(1) == "boot\n"
    if out_of_memory:
        with pytest.raises(LaneGoneError, match="guest 0 ran out of memory: its engine says OOMKilled"):
            RpcClient(process.write, lambda: process.readline(1), "lane 0").call("x.y", {})
    else:
        with pytest.raises(LaneGoneError, match="lane 0 stopped answering"):
            RpcClient(process.write, lambda: process.readline(1), "lane 0").call("x.y", {})
    process.close()
    assert engine.things == {}
