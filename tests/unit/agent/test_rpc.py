"""Calls from proxy to agent and back, over a real socket pair."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TextIO, cast

import pytest

from pqbed.agent.lane_interface import LaneService
from pqbed.agent.lane_part_interfaces import EndService, Mirror, StackClient, StackServer, Tap
from pqbed.agent.rpc_client import PART_CHARACTERS, RpcClient
from pqbed.agent.rpc_dispatch import dispatch
from pqbed.agent.rpc_methods import PIECE_BYTES, remote_methods, secret
from pqbed.agent.rpc_proxies import proxy
from pqbed.agent.rpc_server import Service, serve
from pqbed.calibrate.prober import Prober
from pqbed.errors import HostError, LaneError, SpecError
from pqbed.spec.link import Link

KEY = "-----BEGIN PRIVATE KEY-----"
INTERFACES = (EndService, LaneService, Mirror, Prober, StackClient, StackServer, Tap)


class Base(Protocol):
    def add(self, first: int, second: int = 10) -> int: ...


class Example(Base, Protocol):
    def halve(self, links: Sequence[Link]) -> tuple[Link, ...]: ...
    def forget(self) -> None: ...
    def count(self, to: int) -> Iterator[int]: ...
    def content(self, size: int) -> bytes: ...
    @secret
    def keep(self, key: str) -> str: ...


class Implementation(Example):
    def __init__(self) -> None:
        self.closed = 0
        self.kept = ""
        self.offset = 0

    def add(self, first: int, second: int = 10) -> int:
        return first + second + self.offset

    def halve(self, links: Sequence[Link]) -> tuple[Link, ...]:
        return tuple(Link(rtt_ns=link.rtt_ns // 2, loss=link.loss) for link in links)

    def forget(self) -> None:
        self.kept = ""

    def count(self, to: int) -> Iterator[int]:
        for number in range(to):
            if number == 3:
                raise HostError("it counts to three", hint="ask for less")
            yield number

    def content(self, size: int) -> bytes:
        return bytes(range(256)) * (size // 256)

    def keep(self, key: str) -> str:
        if key == "bad":
            raise SpecError(f"{KEY} is no key", hint=KEY)
        self.kept = key
        return key

    def close(self) -> None:
        self.closed += 1


class Agent:
    """An agent in a thread, and this side's ends of its streams."""

    def __init__(self, open_service: Callable[..., Any]) -> None:
        here, there = socket.socketpair()
        self.socket = here
        self.input = here.makefile("w")
        self.input.reconfigure(line_buffering=True)
        self.output = here.makefile("r")
        self.thread = threading.Thread(target=self._serve, args=(there, open_service))
        self.thread.start()
        self.rpc = RpcClient(self.input.write, self.output.readline, "the agent")

    def _serve(self, there: socket.socket, open_service: Callable[..., Any]) -> None:
        with there, there.makefile("r") as lines, there.makefile("w") as answers:
            serve(open_service, lines, answers)

    def end_input(self) -> None:
        self.input.flush()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.end_input()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.input.close()
        self.output.close()
        self.socket.close()


@pytest.fixture
def implementation() -> Implementation:
    return Implementation()


@pytest.fixture
def agent(implementation: Implementation) -> Iterator[Agent]:
    agent = Agent(lambda: Service(calls=dispatch(Example)(implementation), close=implementation.close))
    agent.rpc.wait_ready()
    yield agent
    agent.close()
    assert implementation.closed == 1


@pytest.fixture
def remote(agent: Agent) -> Example:
    return proxy(Example, agent.rpc)


def test_values_come_back_as_the_interface_types_them(remote: Example) -> None:
    assert remote.add(1) == 11
    assert remote.add(1, second=2) == 3
    assert remote.forget() is None
    assert remote.halve([Link(rtt_ns=8), Link(rtt_ns=4)]) == (Link(rtt_ns=4), Link(rtt_ns=2))


def test_items_come_one_by_one(remote: Example) -> None:
    assert list(remote.count(3)) == [0, 1, 2]
    assert list(remote.count(0)) == []


@pytest.mark.parametrize("size", [0, 256, 2 * PIECE_BYTES + 256])
def test_bytes_come_whole(remote: Example, size: int) -> None:
    size -= size % 256
    assert remote.content(size) == bytes(range(256)) * (size // 256)


def test_a_long_request_goes_in_parts(remote: Example) -> None:
    links = [Link(rtt_ns=number) for number in range(0, 200, 2)]
    assert len(json.dumps([str(link) for link in links])) > 3 * PART_CHARACTERS
    assert [link.rtt_ns for link in remote.halve(links)] == list(range(100))


def test_a_stream_left_early_does_not_disturb_the_next_call(remote: Example) -> None:
    numbers = remote.count(3)
    assert next(numbers) == 0
    assert remote.add(1, 1) == 2


def test_an_error_of_the_agent_keeps_its_class_and_its_hint(remote: Example) -> None:
    numbers = remote.count(5)
    assert [next(numbers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(HostError, match="it counts to three") as caught:
        next(numbers)
    assert caught.value.hint == "ask for less"
    assert remote.add(1) == 11


def test_a_defect_of_the_agent_is_an_answer_with_its_traceback(remote: Example, implementation: Implementation) -> None:
    implementation.offset = cast("int", None)
    with pytest.raises(LaneError, match=r"the agent failed: TypeError\(.*'NoneType'") as caught:
        remote.add(1, 2)
    assert "test_rpc.py" in caught.value.hint
    assert list(remote.count(2)) == [0, 1]


def test_a_service_that_cannot_be_opened_is_an_answer() -> None:
    def refuse() -> None:
        raise HostError("there is no interface eth0", hint="is the link up?")

    agent = Agent(refuse)
    with pytest.raises(HostError, match="there is no interface eth0") as caught:
        agent.rpc.wait_ready()
    assert caught.value.hint == "is the link up?"
    agent.close()


def test_a_service_that_fails_to_open_by_a_defect_is_an_answer_too() -> None:
    def fail() -> Service:
        services: dict[str, Service] = {}
        return services["missing"]

    agent = Agent(fail)
    with pytest.raises(LaneError, match=r"the agent failed: KeyError\('missing'\)"):
        agent.rpc.wait_ready()
    agent.close()


def test_an_unknown_call_is_refused_and_the_loop_goes_on(agent: Agent, remote: Example) -> None:
    with pytest.raises(LaneError, match=r"has no call 'Example\.subtract'") as caught:
        agent.rpc.call("Example.subtract", {})
    assert "pqbed build" in caught.value.hint
    assert remote.add(1) == 11


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"first": 1, "third": 3}, r"Example\.add has no parameter 'third'"),
        ({"second": 1}, r"Example\.add cannot be called: missing a required argument: 'first'"),
        ({"first": "1"}, r"Example\.add does not fit: '1' is not a int"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(agent: Agent, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(LaneError, match=message):
        agent.rpc.call("Example.add", parameters)


def test_a_result_that_does_not_fit_is_refused() -> None:
    lines = iter(['{"id":1,"done":"eleven"}\n'])
    with pytest.raises(LaneError, match=r"Example\.add does not fit: 'eleven' is not a int"):
        proxy(Example, RpcClient(lambda _: None, lambda: next(lines, ""), "the agent")).add(1)


def test_arguments_are_checked_before_anything_is_sent(remote: Example) -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'first'"):
        remote.add()  # type: ignore[call-arg]


@pytest.mark.parametrize("line", ["no json", "[]", "{}", '{"id":1,"call":"Example.add"}', '{"whole":true}', "7"])
def test_a_line_that_is_no_request_is_answered_without_being_quoted(agent: Agent, remote: Example, line: str) -> None:
    agent.input.write(f"{line}{KEY if line == 'no json' else ''}\n")
    with pytest.raises(LaneError, match="the agent received a line that is not a request") as caught:
        remote.add(1)
    assert KEY not in caught.value.message + caught.value.hint
    # Its own answer is still on the way, and is passed over.
    assert remote.add(2) == 12


def test_a_line_torn_by_the_end_of_input_ends_the_loop_without_an_answer(agent: Agent) -> None:
    agent.input.write('{"id":1,"call":"Example.forget","with":{}')
    agent.end_input()
    assert agent.output.readline() == ""


def test_a_torn_request_is_not_carried_out_though_its_json_is_whole(
    agent: Agent, implementation: Implementation
) -> None:
    implementation.kept = "key"
    agent.input.write('{"id":1,"call":"Example.forget","with":{}}')
    agent.end_input()
    assert agent.output.readline() == ""
    assert implementation.kept == "key"


def test_a_reader_that_is_gone_ends_the_loop(implementation: Implementation) -> None:
    class Gone:
        def write(self, _text: str) -> None:
            raise BrokenPipeError

        def flush(self) -> None:
            pass

    serve(lambda: Service(calls={}, close=implementation.close), cast("TextIO", iter(["{}\n"])), cast("TextIO", Gone()))
    assert implementation.closed == 1


def test_an_agent_that_is_gone_is_an_error_with_its_last_lines() -> None:
    lines = iter(["Kernel panic\n", '{"id":9,"done":1}\n', "\n", "not syncing\n"])
    rpc = RpcClient(lambda _: None, lambda: next(lines, ""), "lane 0")
    with pytest.raises(LaneError, match=r"^lane 0 stopped answering: Kernel panic \| not syncing$"):
        rpc.call("Example.add", {"first": 1})


def test_an_agent_whose_input_is_gone_is_an_error() -> None:
    def write(_text: str) -> None:
        raise BrokenPipeError

    with pytest.raises(LaneError, match=r"^lane 0 stopped answering$"):
        RpcClient(write, lambda: "", "lane 0").call("Example.add", {"first": 1})


def test_secrets_pass_and_no_error_tells_them(remote: Example, implementation: Implementation) -> None:
    assert remote.keep(KEY) == implementation.kept == KEY
    with pytest.raises(LaneError, match=r"^the agent failed at keep$") as caught:
        remote.keep("bad")
    assert (caught.value.hint, caught.value.__suppress_context__) == ("", True)


@pytest.mark.parametrize("interface", INTERFACES)
def test_every_interface_of_a_lane_can_be_called(interface: type[Any]) -> None:
    methods = remote_methods(interface)
    assert {method.call for method in methods.values()} == {f"{interface.__name__}.{name}" for name in methods}
    assert not [name for name in vars(interface) if not name.startswith("_") and name not in methods]


def test_what_holds_keys_is_marked() -> None:
    marked = {method.call for interface in INTERFACES for method in remote_methods(interface).values() if method.secret}
    assert marked == {
        "LaneService.keys",
        "StackClient.take_credentials",
        "StackClient.take_keys",
        "StackServer.credentials",
    }


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("end", "--ifname", "nosuch0"), HostError, "there is no interface nosuch0"),
        (("server", "--stack", "nosuch"), SpecError, "nosuch"),
    ],
)
def test_the_program_answers_with_the_error_that_keeps_it_from_starting(
    arguments: tuple[str, ...], kind: type[Any], message: str
) -> None:
    with subprocess.Popen(
        (sys.executable, "-m", "pqbed.agent", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        rpc = RpcClient(process.stdin.write, process.stdout.readline, "the agent")
        with pytest.raises(kind, match=message):
            rpc.wait_ready()
        _, errors = process.communicate(timeout=30)
    assert errors == ""
