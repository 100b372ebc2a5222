"""A chain read from PEM: its certificates, its size, its size in ML-DSA, and profiles that send as many bytes."""

from collections.abc import Iterator, Sequence
from typing import Any

import tomli_w

from pqbed.spec.json_codec import to_json
from pqbed.spec.name_suggestions import plain_name
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sweep_toml import profile_table
from pqbed.tls.certificate_message import certificate_message_size
from pqbed.tls.certificate_shape import CertificateShape, chain_of
from pqbed.tls.migrate_chain import migrate_chain
from pqbed_cli.flags import Form
from pqbed_cli.render.number_format import NONE
from pqbed_cli.render.streams import beside, echo, print_json
from pqbed_cli.render.table import Table, print_tables

MIGRATIONS = ("mldsa44", "mldsa65", "mldsa87")
GROUP = "X25519MLKEM768"


def print_chain(shapes: Sequence[CertificateShape], form: Form) -> None:
    chain = chain_of(shapes)
    if form == "json":
        print_json(_to_program(shapes, chain))
        return
    say = beside(form)
    print_tables([_certificates(shapes), _sizes(chain)], form)
    say("")
    say("Certificate message in bytes, as TLS 1.3 sends it; migrated by the sizes of keys and signatures (FIPS 204)")
    if shapes[-1].self_signed:
        say(f"certificate {len(shapes)} is self-signed: a root need not be sent")


def print_profiles(shapes: Sequence[CertificateShape], name: str) -> None:
    """Print tables for a sweep file: the chain as it is, and in ML-DSA-44."""
    plain_name(name, "the name of a profile")
    chain = chain_of(shapes)
    chains = {name: chain, f"{name}-pq": migrate_chain(chain, "mldsa44")}
    profiles = {key: profile_table(Profile(name=key, group=GROUP, chain=one)) for key, one in chains.items()}
    echo(tomli_w.dumps({"profile": list(profiles), "profiles": profiles}).rstrip())


def _certificates(shapes: Sequence[CertificateShape]) -> Table:
    rows = [
        (str(number), one.algorithm, one.issuer, f"{one.der_bytes:,}", _scts(one))
        for number, one in enumerate(shapes, start=1)
    ]
    return Table(columns=("certificate", "key", "signed by", "bytes", "SCTs"), rows=tuple(rows), numeric=(3,))


def _scts(shape: CertificateShape) -> str:
    return f"{len(shape.scts)} ({' + '.join(map(str, shape.scts))})" if shape.scts else NONE


def _sizes(chain: Chain) -> Table:
    now = _message_bytes(chain)
    rows = [("as it is", f"{now:,}", f"{now:,}" if chain.scts else NONE)]
    for algorithm, with_scts, without in _migrated(chain):
        rows.append((f"in {algorithm}", f"{with_scts:,}", f"{without:,}" if chain.scts else NONE))
    return Table(columns=("chain", "bytes", "SCTs kept as they are"), rows=tuple(rows), numeric=(1, 2))


def _migrated(chain: Chain) -> Iterator[tuple[str, int, int]]:
    for algorithm in MIGRATIONS:
        both = (migrate_chain(chain, algorithm, scts=scts) for scts in (True, False))
        with_scts, without = map(_message_bytes, both)
        yield algorithm, with_scts, without


def _message_bytes(chain: Chain) -> int:
    return certificate_message_size(one.der_bytes or 0 for one in chain.sent)


def _to_program(shapes: Sequence[CertificateShape], chain: Chain) -> dict[str, Any]:
    migrated = {
        algorithm: {"wire_bytes": with_scts, "wire_bytes_scts_kept": without}
        for algorithm, with_scts, without in _migrated(chain)
    }
    return {"certificates": to_json(tuple(shapes)), "wire_bytes": _message_bytes(chain), "migrated": migrated}
