"""Certificates of the stack's own openssl are valid whatever the clock is set to between 2000 and 2049."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pqbed.artefacts import prepare_root
from pqbed.spec.profile import Chain
from pqbed.tls.certificate_chains import make_chain

pytestmark = pytest.mark.uml

# The root's program on the root's libraries, without entering it.
WRAPPER = """#!/bin/sh
exec {root}/lib64/ld-linux-x86-64.so.2 --library-path {root}/usr/lib/x86_64-linux-gnu {root}/usr/bin/openssl "$@"
"""


@pytest.mark.parametrize("algorithm", ["mldsa65", "p256"])
def test_a_chain_outlives_any_jump_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    openssl = tmp_path / "bin" / "openssl"
    openssl.parent.mkdir()
    openssl.write_text(WRAPPER.format(root=prepare_root()))
    openssl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{openssl.parent}:{os.environ['PATH']}")
    files = make_chain(Chain(algorithm=algorithm, depth=3), tmp_path / "chain")
    for when in (
        datetime(2000, 1, 2, tzinfo=UTC),
        datetime(2026, 6, 1, tzinfo=UTC),
        datetime(2049, 12, 31, tzinfo=UTC),
    ):
        command = [str(openssl), "verify", "-attime", str(int(when.timestamp())), "-CAfile", str(files.root)]
        done = subprocess.run(
            [*command, "-untrusted", str(files.sent), str(files.sent)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
