"""A stack that cannot say what it supports is an error of the host, never a stack that supports nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pqbed.errors import HostError
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.stacks import Stack, stack_named
from pqbed.tls import stack_support as support
from pqbed.tls.make_certificates import authority, certify
from pqbed.tls.run_program import run_program
from pqbed.tls.stack_support import Support, probe_support

OPENSSL = stack_named("openssl")
# As OpenSSL 3.0.19 of Debian 12 answers; 3.2 and 3.4 know neither option either.
OLD = """
case "$1 $2" in
version*) echo "OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19 27 Jan 2026)" ;;
"list -providers") printf 'Providers:\\n  default\\n    name: OpenSSL Default Provider\\n' ;;
"list "*) printf 'list: Unknown option: %s\\nlist: Use -help for summary.\\n' "$2" >&2; exit 1 ;;
esac
"""
NEW = """
case "$*" in
version) echo "OpenSSL 3.5.4 30 Sep 2025 (Library: OpenSSL 3.5.4 30 Sep 2025)" ;;
"list -tls1_3 -tls-groups") echo "X25519:X25519MLKEM768:X25519" ;;
"list -tls1_3 -tls-signature-algorithms") echo "ecdsa_secp256r1_sha256:mldsa65" ;;
"list -providers") printf 'Providers:\\n  default\\n    name: OpenSSL Default Provider\\n  fips\\n    name: F\\n' ;;
*) exit 9 ;;
esac
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that puts a shell script first in the search path."""

    def put(name: str, script: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return path

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return put


def test_an_openssl_too_old_to_list_groups_is_an_error_with_its_version(program: Callable[..., Any]) -> None:
    program("openssl", OLD)
    with pytest.raises(HostError) as caught:
        probe_support(OPENSSL)
    assert caught.value.message.startswith("openssl list -tls1_3 -tls-groups failed: list: Unknown option: -tls1_3")
    assert caught.value.hint == "a stack needs OpenSSL 3.5 or newer; this is OpenSSL 3.0.19 27 Jan 2026"


def test_no_profile_is_called_unsupported_by_an_openssl_that_cannot_tell(program: Callable[..., Any]) -> None:
    program("openssl", OLD)
    with pytest.raises(HostError):
        support.Probed(OPENSSL).refusals([profile_named("classical")])


@pytest.mark.parametrize(
    "failing", ["version", "list -tls1_3 -tls-groups", "list -tls1_3 -tls-signature-algorithms", "list -providers"]
)
def test_each_question_that_fails_is_an_error(program: Callable[..., Any], failing: str) -> None:
    program("openssl", f'[ "$*" = "{failing}" ] && {{ echo broken >&2; exit 1; }}\n{NEW}')
    with pytest.raises(HostError, match=f"openssl {failing} failed: broken"):
        probe_support(OPENSSL)


@pytest.mark.parametrize("silent", ["list -tls1_3 -tls-groups", "list -tls1_3 -tls-signature-algorithms"])
def test_an_empty_list_is_an_error(program: Callable[..., Any], silent: str) -> None:
    program("openssl", f'[ "$*" = "{silent}" ] && exit 0\n{NEW}')
    with pytest.raises(HostError, match=r"OpenSSL 3\.5\.4 30 Sep 2025 lists no groups or no signature algorithms"):
        probe_support(OPENSSL)


def test_what_openssl_lists_is_read(program: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    program("openssl", NEW)
    monkeypatch.setattr(support, "provided_groups", dict)
    monkeypatch.setattr(support, "provided_schemes", lambda schemes: dict.fromkeys(schemes, "default"))
    assert probe_support(OPENSSL) == Support(
        version="OpenSSL 3.5.4 30 Sep 2025",
        groups=("X25519", "X25519MLKEM768"),
        signatures=("ecdsa_secp256r1_sha256", "mldsa65"),
        providers=("default", "fips"),
        provided_schemes={"ecdsa_secp256r1_sha256": "default", "mldsa65": "default"},
    )


def test_a_stack_without_openssl_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="openssl cannot be started: No such file or directory") as caught:
        probe_support(OPENSSL)
    assert "pqbed build" in caught.value.hint


def stack_with(program: Path) -> Stack:
    return Stack(name="other", title="Other", server="program", client="program", program=(str(program),))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no library >&2; exit 3", "probe failed: no library"),
        ("exit 3", "probe failed: exit code 3"),
        ("echo nothing", "the answer of .*/other to `probe` cannot be read"),
        ("echo '{\"version\": 1}'", "the answer of .*/other to `probe` cannot be read: 1 is not a str"),
    ],
)
def test_a_program_that_does_not_answer_is_an_error(program: Callable[..., Any], script: str, message: str) -> None:
    with pytest.raises(HostError, match=message):
        probe_support(stack_with(program("other", script)))


def test_the_answer_of_a_program_is_read(program: Callable[..., Any]) -> None:
    said = {"version": "Other 1", "groups": ["X25519"], "signatures": ["0x0804"]}
    other = program("other", f"[ \"$1\" = probe ] && echo '{json.dumps(said)}'")
    assert probe_support(stack_with(other)) == Support(version="Other 1", groups=("X25519",), signatures=("0x0804",))


def test_a_certificate_that_openssl_refuses_is_an_error(program: Callable[..., Any], tmp_path: Path) -> None:
    program("openssl", "echo 'Algorithm mldsa65 not found' >&2; exit 1")
    certificate = authority(tmp_path / "root.pem", "mldsa65", "root", None)
    with pytest.raises(HostError, match=r"no mldsa65 certificate can be made: .* Algorithm mldsa65 not found"):
        certify(certificate)


def test_a_program_that_does_not_end_is_an_error(program: Callable[..., Any]) -> None:
    sleeper = program("sleeper", "exec sleep 60")
    with pytest.raises(HostError, match=r"sleeper did not end within 0\.2 s"):
        run_program((str(sleeper),), 0.2)
