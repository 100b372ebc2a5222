"""Keys reach the client and nobody else."""

import json
from dataclasses import fields, replace
from typing import Any, cast

import pytest

from pqbed.agent.fetch_runner import FetchRunner
from pqbed.agent.lane_facts import LaneFacts
from pqbed.agent.lane_part_interfaces import Client, Server, StackClient, StackServer
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.rpc_client import RpcClient
from pqbed.agent.rpc_proxies import proxy
from pqbed.errors import LaneError
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import Layout
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.served_profile import ServedProfile

KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
CREDENTIALS = Credentials(profile="pq-mutual", chain_pem="chain", key_pem=KEY)


def channel_that_reads(*lines: object) -> RpcClient:
    texts = iter([line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines])
    return RpcClient(lambda _: None, lambda: next(texts, ""), "the server")


def server_and_client(served: tuple[ServedProfile, ...]) -> tuple[Server, Client, list[tuple[Credentials, ...]]]:
    given: list[tuple[Credentials, ...]] = []

    class OneServer:
        def refusals(self, _profiles: list[Any]) -> dict[Any, Any]:
            return {}

        def start(self, _profiles: list[Any]) -> tuple[ServedProfile, ...]:
            return served

        def credentials(self) -> tuple[Credentials, ...]:
            return (CREDENTIALS,)

    class OneClient:
        def refusals(self, _profiles: list[Any]) -> dict[Any, Any]:
            return {}

        def take_credentials(self, credentials: tuple[Credentials, ...]) -> None:
            given.append(credentials)

    return cast("Server", OneServer()), cast("Client", OneClient()), given


def no_path(_layout: Layout) -> NetworkPath:
    raise NotImplementedError


def served(name: str) -> ServedProfile:
    return ServedProfile(profile=profile_named(name), port=1, root_pem="", certificate_wire_bytes=1, signature="s")


def test_they_are_not_shown() -> None:
    assert "PRIVATE" not in repr(CREDENTIALS)
    assert "PRIVATE" not in str([CREDENTIALS])


def test_no_part_of_the_facts_can_hold_them() -> None:
    assert not {"key", "key_pem", "credentials"} & {
        field.name for kind in (LaneFacts, ServedProfile) for field in fields(kind)
    }


def test_a_triple_takes_them_from_the_server_to_the_client() -> None:
    server, client, given = server_and_client((served("pq"), served("pq-mutual")))
    runner = FetchRunner(path_of=no_path, server=server, client=client, timeout_ns=1)
    facts = runner.start([])
    assert given == [(CREDENTIALS,)]
    assert "PRIVATE" not in str(to_json(facts))


def test_a_triple_without_mutual_profiles_asks_for_none() -> None:
    server, client, given = server_and_client((served("pq"),))
    FetchRunner(path_of=no_path, server=server, client=client, timeout_ns=1).start([])
    assert given == []


def test_they_pass_a_channel() -> None:
    channel = channel_that_reads({"id": 1, "done": to_json((CREDENTIALS,))})
    assert proxy(StackServer, channel).credentials() == (CREDENTIALS,)


TORN = json.dumps({"id": 1, "done": to_json((CREDENTIALS,))})[:-3]
WRONG = to_json(replace(CREDENTIALS)) | {"key_pem": [KEY]}


@pytest.mark.parametrize(
    "line",
    [
        TORN,
        {"id": 1, "done": [WRONG]},
        {"id": 1, "done": KEY},
        {"id": 1, "error": {"kind": "SpecError", "message": KEY, "hint": KEY}},
    ],
    ids=["torn", "misshapen", "no list", "told in an error"],
)
def test_no_error_tells_them(line: dict[str, Any] | str) -> None:
    channel = channel_that_reads(line)
    with pytest.raises(LaneError) as caught:
        proxy(StackServer, channel).credentials()
    assert caught.value.message == "the server failed at credentials"
    assert caught.value.hint == ""
    assert caught.value.__suppress_context__
    with pytest.raises(LaneError) as later:
        proxy(StackServer, channel).alive()
    assert "PRIVATE" not in later.value.message


def test_no_error_of_the_client_tells_them() -> None:
    channel = channel_that_reads({"id": 1, "error": {"kind": "SpecError", "message": KEY, "hint": KEY}})
    with pytest.raises(LaneError, match="failed at take_credentials") as caught:
        proxy(StackClient, channel).take_credentials([CREDENTIALS])
    assert "PRIVATE" not in str(caught.value)
