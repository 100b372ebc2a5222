"""Made-up sweep files and command lines: each ends with exit code 0, 2, 3 or 4, and in one sentence if it is not 0.

PQBED_FUZZ_CASES sets how many are made up; `make fuzz` makes up many.
"""

import functools
import os
import ssl
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from pqbed.errors import HostError
from pqbed.spec.axes import AXES
from pqbed_cli.main import app
from pqbed_cli.workflows import open_bed
from support.command_line import Ended, Pqbed

CASES = int(os.environ.get("PQBED_FUZZ_CASES", "1000"))
FUZZ = settings(
    max_examples=CASES // 2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=CASES <= 1000
)
MOST_CHARACTERS = 2000

# Those that would open a bed are refused where they do (`no_bed`).
COMMANDS = (
    "build",
    "chain show",
    "compare",
    "explain",
    "export",
    "fleet",
    "links",
    "plan",
    "remedies",
    "report",
    "reproduce",
    "schema",
    "show",
    "status",
    "sweep",
    "trace",
    "up",
    "verify",
)
NO_BED = "no bed is opened here"
LONG, DIGITS = "9" * 6000, f"0x{'f' * 5000}"
KEYS = [*AXES, "seed", "samples", "profile", "run.out", "run.lanes", "profiles.x.group", "name", "timeout", "x", "\\"]

ODD = st.sampled_from(
    [
        LONG,
        DIGITS,
        "",
        "-",
        "--",
        ",",
        ",,",
        "a\nb",
        "\x1b[31m",
        "\udcff",
        "a\0b",
        "é" * 700,
        "{}",
        "%s",
        "nan",
        "-1",
        "1e999",
    ]
)
TYPICAL = st.sampled_from(
    [
        "0",
        "1",
        "35",
        "35ms",
        "1gbit",
        "50KiB",
        "1%",
        "classical,pq",
        "latest",
        "uml",
        "fake",
        "virtual",
        "p99",
        "1500",
        "same",
    ]
)
# Without slashes: what is written stays in the folder of the test.
WORDS = st.text(max_size=12).map(lambda text: text.replace("/", "|"))
TEXTS = st.one_of(TYPICAL, ODD, WORDS, st.integers().map(str), st.floats().map(str))
TYPICAL_TOML = TYPICAL.map(lambda text: f'"{text}"')
TOML_VALUES = st.one_of(
    TYPICAL_TOML,
    TYPICAL_TOML,
    st.sampled_from(
        [LONG, DIGITS, f'"{LONG}"', "[" * 400 + "]" * 400, '"a\\u0000b"', "{a={a=1}}", "-1", "nan", "[]", "[[1]]"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(string.printable, max_size=40).map(lambda text: f"'''{text}'''"),
    TYPICAL.map(lambda text: f'["{text}"]'),
    st.text(max_size=20),
)


PLACES = ("latest", "chain.pem", "madweb2024", "paquin2020", "wpt-3g")
USUAL_PAIRS = st.sampled_from(
    [(option, f'"{axis.format(axis.usual)}"') for option, axis in AXES.items() if axis.usual is not None]
)


def flags_of(command: Any) -> list[str]:
    """Return the options of a command, and two that no command has."""
    options = [option for param in command.params for option in param.opts if option.startswith("-")]
    return [*(option for option in options if option not in {"--help", "--open"}), "--nonsense", "-z"]


def command_of(words: list[str]) -> Any:
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]
    return command


FLAGS = {name: flags_of(command_of(name.split())) for name in COMMANDS}


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Make up a command with its options and some words. A sweep never starts: it resumes a run that is not there."""
    name = draw(st.sampled_from(COMMANDS))
    words = [*name.split(), *draw(st.lists(st.sampled_from(PLACES) | TEXTS, max_size=2))]
    for _ in range(draw(st.integers(0, 4))):
        words += draw(st.sampled_from([[], [draw(st.sampled_from(FLAGS[name])), draw(TEXTS)]]))
    if name == "sweep":
        words += ["--resume", "nowhere"]
    return words + (["--bed", "fake"] if name == "plan" else [])


def assert_one_sentence(ended: Ended, case: object) -> None:
    event(str(ended.code))
    assert ended.code in {0, 2, 3, 4}, case
    assert "Traceback" not in ended.err, case
    if ended.code:
        assert len(ended.err) <= MOST_CHARACTERS, case
        first, *hints = ended.err.rstrip("\n").split("\n")
        assert first.startswith("pqbed: "), case
        assert len(hints) <= 1, case
        assert all(hint.startswith("  hint: ") for hint in hints), case


@given(st.lists(st.one_of(USUAL_PAIRS, USUAL_PAIRS, st.tuples(st.sampled_from(KEYS), TOML_VALUES)), max_size=4))
@example([("rtt", '"35ms"'), ("samples", "1")])
@FUZZ
def test_a_made_up_sweep_file_is_planned_or_refused_in_a_sentence(
    pqbed: Pqbed, tmp_path: Path, pairs: list[tuple[str, str]]
) -> None:
    spec = tmp_path / "s.toml"
    spec.write_text("\n".join(f"{key} = {value}" for key, value in pairs), encoding="utf-8", errors="replace")
    assert_one_sentence(pqbed("plan", "--bed", "fake", "--spec", str(spec)), pairs)


@pytest.fixture
def no_bed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every bed: a request is read to its end, and nothing is built or started."""

    def choose(*_: Any, **__: Any) -> None:
        raise HostError(NO_BED, "this is a test")

    monkeypatch.setattr(open_bed, "choose_bed", choose)


@pytest.fixture
def run(pqbed: Pqbed) -> None:
    """A run for what reads one."""
    assert pqbed("sweep", "--bed", "fake", "--rtt", "35", "--size", "0", "--samples", "2").code == 0


@pytest.mark.usefixtures("run", "no_bed")
@given(command_lines())
@example(["plan", "--rtt", "35,200", "--bed", "fake"])
@example(["show", "latest", "--percentile", "50"])
@example(["chain", "show", "chain.pem"])
@FUZZ
def test_a_made_up_command_line_is_carried_out_or_refused_in_a_sentence(
    pqbed: Pqbed, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "chain.pem").write_bytes(pem_of(certificate()))
    assert_one_sentence(pqbed(*words), words)


@pytest.mark.usefixtures("no_bed")
@pytest.mark.parametrize(
    "words", [("build",), ("up", "--rtt", "50"), ("trace", "--size", "0"), ("reproduce", "madweb2024")]
)
def test_a_request_that_is_in_order_is_read_to_the_opening_of_its_bed(pqbed: Pqbed, words: tuple[str, ...]) -> None:
    """Else the fuzz would only see how options are refused."""
    ended = pqbed(*words, "--bed", "uml")
    assert (ended.code, ended.err.splitlines()[0]) == (3, f"pqbed: {NO_BED}")


@functools.cache
def certificate() -> bytes:
    """Return a certificate that signs itself, DER."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    date = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, date, date + timedelta(days=1))
    scts = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), bytes.fromhex("040600040002abcd")
    )
    made = builder.add_extension(scts, critical=False).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def pem_of(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).encode()


EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=3)), max_size=4)


@given(
    EDITS, st.integers(1, 40), st.sampled_from([(), ("--profile", "x"), ("--profile", "a\nb"), ("--format", "json")])
)
@example([], 1, ())
@FUZZ
def test_a_damaged_chain_is_read_or_refused_in_a_sentence(
    pqbed: Pqbed, tmp_path: Path, edits: list[tuple[float, int, bytes]], copies: int, more: tuple[str, ...]
) -> None:
    der = certificate()
    for where, gone, new in edits:
        place = int(where * len(der))
        der = der[:place] + new + der[place + gone :]
    (tmp_path / "chain.pem").write_bytes(pem_of(der) * copies)
    assert_one_sentence(pqbed("chain", "show", "chain.pem", *more), (edits, copies, more))
