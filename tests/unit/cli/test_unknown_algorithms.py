"""Names of algorithms that nobody has: refused before the estimate, and only if the stacks could be asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pqbed_cli.workflows import refuse_unknown_algorithms

LISTS = {
    "version": "OpenSSL 3.5.9 29 Sep 2026\n",
    "-key-managers": "    IDs: frodo640aes @ oqsprovider\n",
    "-tls-groups": "secp256r1:x25519:X25519MLKEM768:frodo640aes\n",
    "-tls-signature-algorithms": "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:falcon512\n",
}
PROFILE = """
profile = ["mine"]
[profiles.mine]
group = "{group}"
chain = {{ algorithm = "{algorithm}" }}
"""


@pytest.fixture
def request_of(pqbed: Any, tmp_path: Path) -> Any:
    """Return a function that asks for a sweep on the fake bed with a group and a certificate algorithm."""

    def ask(command: str, group: str, algorithm: str) -> Any:
        spec = tmp_path / "sweep.toml"
        spec.write_text(PROFILE.format(group=group, algorithm=algorithm))
        more = ("--samples", "2", "--no-aa", "--size", "0", "--rtt", "35", "--loss", "0", "--bandwidth", "1mbit")
        return pqbed(command, "--spec", str(spec), "--bed", "fake", *more)

    return ask


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every stack be built and list the same; return the names of those that are asked."""
    names: list[str] = []

    def find(stack: Any) -> Any:
        names.append(stack.name)
        return answer

    def answer(argv: Sequence[str], _timeout_s: float) -> str:
        return LISTS[argv[-1]]

    monkeypatch.setattr(refuse_unknown_algorithms, "find_programs", find)
    return names


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("command", ["plan", "sweep"])
@pytest.mark.parametrize(
    ("names", "wrong", "meant"),
    [
        (("X25519", "mdlsa65"), "certificate algorithm 'mdlsa65'", "mldsa65"),
        (("X25519", "falcon51"), "certificate algorithm 'falcon51'", "falcon512"),
        (("frodo640as", "p256"), "group 'frodo640as'", "frodo640aes"),
    ],
)
def test_a_name_that_nobody_has_is_refused_before_the_estimate(
    request_of: Any, command: str, names: tuple[str, str], wrong: str, meant: str
) -> None:
    ended = request_of(command, *names)
    assert (ended.code, ended.out) == (2, "")
    assert f"there is no {wrong}: neither pqbed's table nor any stack asked for has it" in ended.err
    assert f"did you mean {meant!r}?" in ended.err
    assert "fetches" not in ended.err
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["sweep.toml"]


def test_names_that_only_a_stack_has_pass(request_of: Any, asked: list[str]) -> None:
    assert request_of("plan", "frodo640aes", "falcon512").code == 0
    assert asked == ["openssl"]


def test_stacks_are_not_asked_for_names_of_the_table(request_of: Any, asked: list[str]) -> None:
    assert request_of("plan", "X25519MLKEM768", "mldsa65").code == 0
    assert asked == []


def test_a_stack_that_is_not_built_leaves_the_answer_to_the_lane(request_of: Any) -> None:
    assert request_of("plan", "X25519", "mdlsa65").code == 0
