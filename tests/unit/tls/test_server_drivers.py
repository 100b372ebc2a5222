import json
from dataclasses import replace
from pathlib import Path

from pqbed.spec.stacks import stack_named
from pqbed.tls.listener_settings import Listener
from pqbed.tls.server_drivers import configure_program

PLAIN = Listener(port=1, chain=Path("c"), key=Path("k"), groups="X25519", signature="ed25519")


def test_a_program_that_gives_no_tickets_reads_texts_and_numbers_alone(tmp_path: Path) -> None:
    configure_program(stack_named("botan"), tmp_path, [PLAIN, replace(PLAIN, tickets=True)])
    plain, ticketed = map(json.loads, (tmp_path / "listeners.json").read_text().splitlines())
    assert {type(value) for value in plain.values()} == {int, str}
    assert ticketed["tickets"] is True
