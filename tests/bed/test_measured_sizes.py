"""Sizes measured in one handshake: those of the standards found again, with every stack that can be asked."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from pqbed.algorithm_table.algorithm_rows import AlgorithmRow, tabulate_algorithms
from pqbed.algorithm_table.measured_sizes import lacks_sizes, measure_sizes
from pqbed.artefacts import no_progress, prepare_uml
from pqbed.beds.make_bed import make_uml_processes
from pqbed.spec.stacks import stack_named
from pqbed.tls.published_algorithms import signatures_by_key

pytestmark = [pytest.mark.uml, pytest.mark.timeout(600)]

SIZES = ("public_key_bytes", "ciphertext_bytes", "signature_bytes", "wire_bytes", "certificate_bytes")
# A DER-encoded ECDSA signature is some bytes shorter than the longest.
SHORTER_BYTES = 6
# By stack: groups and keys that it speaks.
SPOKEN = {
    "openssl": (("x448", "secp256r1", "MLKEM512", "MLKEM1024", "X25519MLKEM768"), ("mldsa44", "mldsa87", "rsa4096")),
    "go": (("X25519MLKEM768", "secp384r1"), ("mldsa65", "p256")),
    "botan": (("X25519MLKEM768", "SecP256r1MLKEM768"), ("p384",)),
}


def blank(row: AlgorithmRow, name: str) -> AlgorithmRow:
    """Return a row of the table as if no table had it."""
    unknown: dict[str, Any] = dict.fromkeys(SIZES)
    return replace(row, name=name, source=None, provider="there", codepoint=None, **unknown)


def known_rows(stack: str) -> list[AlgorithmRow]:
    groups, keys = SPOKEN[stack]
    table = {row.key or row.name: row for row in tabulate_algorithms(None, None)}
    return [table[name] for name in (*groups, *keys)]


@pytest.mark.parametrize("stack", SPOKEN)
def test_what_one_handshake_shows_is_what_the_standards_say(stack: str) -> None:
    prepare_uml(stacks=() if stack == "openssl" else (stack,))
    known = known_rows(stack)
    unknown = [blank(row, row.key or row.name) for row in known]
    assert all(map(lacks_sizes, unknown))
    with closing(make_uml_processes("virtual", no_progress, None, None)) as bed:
        bed.prepare(() if stack == "openssl" else (stack,))
        measured = measure_sizes(unknown, stack_named(stack), lambda profiles: bed.open_lane(0, profiles, 60 * 10**9))
    for row, found in zip(known, measured, strict=True):
        assert found.measured, row.name
        if not row.signature_varies:
            assert sizes_of(found) == sizes_of(row), row.name
            continue
        longest = signatures_by_key()[row.key or ""].signature_bytes
        assert longest - SHORTER_BYTES <= (found.signature_bytes or 0) <= longest


def sizes_of(row: AlgorithmRow) -> Sequence[int | None]:
    return [getattr(row, name) for name in SIZES]
