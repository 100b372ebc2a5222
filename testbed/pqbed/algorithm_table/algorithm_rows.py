"""Rows of the table of algorithms: sizes in the standards, provider and CPU time on this host."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pqbed.algorithm_table.liboqs_sizes import Liboqs, Sizes
from pqbed.algorithm_table.openssl_speed import NO_COST, Cost, group_cost, has_test, signature_cost
from pqbed.algorithm_table.stack_algorithms import Probe
from pqbed.beds.stack_programs import RunProgram
from pqbed.errors import PqbedError
from pqbed.tls.published_algorithms import Group, SignatureAlgorithm, published_groups, published_signatures

AlgorithmKind = Literal["group", "signature"]

# Called before each algorithm that is measured, with its name.
OnName = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmRow:
    """One algorithm; None: unknown, or it has none. Sizes in bytes, `operations_ns` in CPU time.

    `wire_bytes`: both key_share extensions, or the CertificateVerify message. `certificate_bytes`: the key and the
    signature in each certificate of a chain of this algorithm. `provider` None: the stack lacks it, or was not asked.
    `checked`: sources with the same sizes. `measured`: no source has the sizes, a fetch showed them.
    """

    kind: AlgorithmKind
    name: str
    key: str | None = None
    scheme: str | None = None
    codepoint: int | None = None
    public_key_bytes: int | None = None
    ciphertext_bytes: int | None = None
    signature_bytes: int | None = None
    signature_varies: bool = False
    wire_bytes: int | None = None
    certificate_bytes: int | None = None
    level: int | None = None
    standard: str | None = None
    source: str | None = None
    provider: str | None = None
    operations_ns: Mapping[str, float] = field(default_factory=dict)
    checked: tuple[str, ...] = ()
    measured: bool = False


def tabulate_algorithms(probe: Probe | None, liboqs: Liboqs | None) -> tuple[AlgorithmRow, ...]:
    """Return the groups, then the signature algorithms: those of the standards, then what the stack has beyond them.

    Raises PqbedError if liboqs has other sizes than the standards.
    """
    rows = (*map(_group_row, published_groups().values()), *map(_signature_row, published_signatures().values()))
    if probe is not None:
        rows = tuple(replace(row, provider=_provider(row, probe)) for row in rows) + tuple(_beyond(rows, probe))
    if liboqs is not None:
        rows = tuple(_compared(row, liboqs) for row in rows)
    return tuple(sorted(rows, key=lambda row: row.kind))


def select_rows(rows: tuple[AlgorithmRow, ...], kind: AlgorithmKind | None, name: str) -> tuple[AlgorithmRow, ...]:
    """Return the rows of `kind` (None: both) with `name` in their name, scheme or key, in any case."""
    wanted = name.lower()
    return tuple(
        row
        for row in rows
        if kind in {None, row.kind} and any(wanted in (text or "").lower() for text in (row.name, row.scheme, row.key))
    )


def with_cpu_times(rows: tuple[AlgorithmRow, ...], run: RunProgram, on_name: OnName) -> tuple[AlgorithmRow, ...]:
    """Return `rows` with the CPU time of their operations here, one after the other: about 3 s each."""
    return tuple(replace(row, operations_ns=_cost(row, run, on_name).operations_ns) for row in rows)


def _cost(row: AlgorithmRow, run: RunProgram, on_name: OnName) -> Cost:
    if row.provider is None or row.source is None or (row.kind == "group" and not has_test(row.name)):
        return NO_COST
    on_name(row.name)
    return group_cost(run, row.name) if row.kind == "group" else signature_cost(run, row.name)


def _group_row(group: Group) -> AlgorithmRow:
    return AlgorithmRow(
        kind="group",
        name=group.name,
        codepoint=group.codepoint,
        public_key_bytes=group.public_key_bytes,
        ciphertext_bytes=group.ciphertext_bytes,
        wire_bytes=group.wire_bytes,
        level=group.level,
        standard=group.standard,
        source=group.source,
        checked=group.checked,
    )


def _signature_row(algorithm: SignatureAlgorithm) -> AlgorithmRow:
    return AlgorithmRow(
        kind="signature",
        name=algorithm.name,
        key=algorithm.key or None,
        scheme=algorithm.scheme,
        codepoint=algorithm.codepoint,
        public_key_bytes=algorithm.public_key_bytes,
        signature_bytes=algorithm.signature_bytes,
        signature_varies=algorithm.varies,
        wire_bytes=algorithm.verify_wire_bytes,
        certificate_bytes=algorithm.certificate_bytes,
        level=algorithm.level,
        standard=algorithm.standard,
        source=algorithm.source,
        checked=algorithm.checked,
    )


def _provider(row: AlgorithmRow, probe: Probe) -> str | None:
    if row.kind == "group":
        return probe.groups.get(row.name)
    return probe.provider_of_key(row.name) if row.scheme is None else probe.schemes.get(row.scheme)


def _beyond(rows: tuple[AlgorithmRow, ...], probe: Probe) -> Iterator[AlgorithmRow]:
    """Yield what the stack has and the table lacks."""
    known = {row.name if row.kind == "group" else row.scheme for row in rows}
    for name, provider in probe.groups.items():
        if name not in known:
            yield AlgorithmRow(kind="group", name=name, provider=provider)
    for scheme, provider in probe.schemes.items():
        if scheme not in known:
            yield AlgorithmRow(kind="signature", name=scheme, scheme=scheme, provider=provider)


def _compared(row: AlgorithmRow, liboqs: Liboqs) -> AlgorithmRow:
    if row.source is None:
        return row
    published = published_groups()[row.name] if row.kind == "group" else published_signatures()[row.name]
    sizes = liboqs.sizes.get(published.liboqs)
    if sizes is None:
        return row
    second_bytes = row.ciphertext_bytes if row.kind == "group" else row.signature_bytes
    if sizes != Sizes(public_key_bytes=row.public_key_bytes or 0, second_bytes=second_bytes or 0):
        raise PqbedError(
            f"liboqs {liboqs.version} says {sizes.public_key_bytes} and {sizes.second_bytes} bytes of {row.name}, "
            f"{row.source} {row.public_key_bytes} and {second_bytes}",
            "one of the two is wrong: please report this",
        )
    return replace(row, checked=tuple(dict.fromkeys((*row.checked, f"liboqs {liboqs.version}"))))
