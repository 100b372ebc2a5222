"""Errors of the Docker SDK as one line: a real one of a socket that nobody listens at, and answers of engines."""

from pathlib import Path

import pytest
from docker.errors import APIError

from pqbed.beds.docker.docker_sdk_engine import connect_to
from pqbed.beds.docker.error_words import LONGEST, words_of
from pqbed.errors import EngineError

FIREWALL = """add inter-network communication rule:  (iptables failed: iptables --wait -A DOCKER-ISOLATION-STAGE-1
iptables v1.8.9 (nf_tables): Chain 'DOCKER-ISOLATION-STAGE-2' does not exist
Try `iptables -h' or 'iptables --help' for more information.
 (exit status 2))"""


def test_what_the_engine_answered_is_one_line() -> None:
    words = words_of(APIError("500 Server Error", explanation=FIREWALL))
    assert words == " ".join(FIREWALL.split())
    assert "\n" not in words
    assert len(words_of(APIError("500 Server Error", explanation="x " * LONGEST))) == LONGEST + 1


@pytest.mark.parametrize(
    ("host", "words"),
    [("tcp://127.0.0.1:1", "Connection refused"), ("unix:///{folder}/absent", "No such file or directory")],
)
def test_an_engine_that_does_not_answer_is_told_in_the_words_of_the_system(
    host: str, words: str, tmp_path: Path
) -> None:
    host = host.format(folder=tmp_path)
    with pytest.raises(EngineError) as refused:
        connect_to(host)
    assert refused.value.message == f"no container engine answers at {host}: {words}"


def test_an_error_without_words_has_its_name() -> None:
    assert words_of(ValueError()) == "ValueError"
