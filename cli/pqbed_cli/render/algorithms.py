"""The table of algorithms, as text and as JSON."""

from collections.abc import Sequence
from typing import Any

from pqbed.algorithm_table.algorithm_rows import AlgorithmKind, AlgorithmRow
from pqbed.spec.json_codec import to_json
from pqbed_cli.flags import Form
from pqbed_cli.render.number_format import NONE
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables
from pqbed_cli.workflow_results import AlgorithmTable

OPERATIONS: dict[AlgorithmKind, tuple[str, ...]] = {
    "group": ("keygen", "encaps", "decaps"),
    "signature": ("sign", "verify"),
}
_TITLES: dict[AlgorithmKind, str] = {"group": "Key exchange; sizes in bytes", "signature": "Signatures; sizes in bytes"}
_SIZES: dict[AlgorithmKind, tuple[str, ...]] = {
    "group": ("public key", "ciphertext", "on the wire"),
    "signature": ("public key", "signature", "on the wire", "a certificate"),
}
NOTES = (
    "on the wire: the key_share extensions of both Hellos, or the CertificateVerify message",
    "a certificate: the key and the signature in each certificate of the chain",
    "no codepoint: TLS has none, or pqbed's table lacks it",
)


# In place of what a size of the table was checked against.
MEASURED = "measured in one handshake"


def print_algorithms(table: AlgorithmTable, form: Form) -> None:
    if form == "json":
        rows = [_flat(row) for row in table.rows]  # null is unknown
        print_json({"stack": table.stack, "liboqs": table.liboqs, "algorithms": rows})
        return
    say = beside(form)
    kinds = list(dict.fromkeys(row.kind for row in table.rows))
    print_tables([_table(kind, [row for row in table.rows if row.kind == kind], table.cpu) for kind in kinds], form)
    say("")
    for line in NOTES:
        say(line)
    say(f"stack: {table.stack}")
    say(table.liboqs)


def _flat(row: AlgorithmRow) -> dict[str, Any]:
    operations = {f"{name}_ns": row.operations_ns.get(name) for name in OPERATIONS[row.kind]}
    flat = {name: value for name, value in to_json(row).items() if name != "operations_ns"}
    return flat | operations


def _table(kind: AlgorithmKind, rows: Sequence[AlgorithmRow], cpu: bool) -> Table:
    columns = ["name", "codepoint", *_SIZES[kind], "level", "standard", "provider", "checked against"]
    if kind == "signature":
        columns.insert(1, "scheme")
    numeric = [columns.index(name) for name in (*_SIZES[kind], "level")]
    if cpu:
        numeric += range(len(columns), len(columns) + len(OPERATIONS[kind]))
        columns += [f"{name} us" for name in OPERATIONS[kind]]
    return Table(
        title=_TITLES[kind] + ("; CPU time per operation" if cpu else ""),
        columns=tuple(columns),
        rows=tuple(tuple(_cells(row, cpu)) for row in rows),
        numeric=tuple(numeric),
    )


def _cells(row: AlgorithmRow, cpu: bool) -> list[str]:
    bound = "<=" if row.signature_varies else ""
    scheme = [row.scheme or NONE] if row.kind == "signature" else []
    second = row.ciphertext_bytes if row.kind == "group" else row.signature_bytes
    cells = [row.name, *scheme, NONE if row.codepoint is None else f"{row.codepoint:#06x}"]
    cells += [_size(row.public_key_bytes), _size(second, bound), _size(row.wire_bytes, bound)]
    cells += [_size(row.certificate_bytes, bound)] if row.kind == "signature" else []
    checked = MEASURED if row.measured else ", ".join(row.checked) or NONE
    cells += [_size(row.level), row.standard or NONE, row.provider or NONE, checked]
    return cells + ([_microseconds(row.operations_ns.get(name)) for name in OPERATIONS[row.kind]] if cpu else [])


def _size(value: int | None, bound: str = "") -> str:
    return NONE if value is None else f"{bound}{value:,}"


def _microseconds(value_ns: float | None) -> str:
    if value_ns is None:
        return NONE
    value = value_ns / 1000
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
