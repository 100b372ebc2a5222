"""Learned sizes as columns of the cells table, and back."""

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pqbed.model.frames import DEFAULT_MSS, segment_count
from pqbed.tls.wire_sizes import SEAL_BYTES, WireSizes

_RECORDS = re.compile(r"(\d+)(?:x(\d+))?")


def size_columns(sizes: WireSizes | None, mss: int = DEFAULT_MSS) -> dict[str, Any]:
    """Return the columns `table_schemas.LEARNED` of a cell whose segments have `mss` bytes; none without sizes."""
    if sizes is None:
        return {}
    return {
        "client_hello_bytes": sizes.client_hello_bytes,
        "server_flight_bytes": sum(sizes.server_flight),
        "client_flight_bytes": sum(sizes.client_flight),
        "request_bytes": sizes.request_bytes,
        "response_header_bytes": sizes.response_header_bytes,
        "server_flight_records": _text(_runs(sizes.server_flight)),
        "client_flight_records": _text(_runs(sizes.client_flight)),
        "response_records": _text(sizes.response),
        "ticket_records": _text(_runs(sizes.tickets)),
        "hello_retry_bytes": sum(sizes.retry),
        "second_hello_bytes": sum(sizes.second_hello),
        "hello_retry_records": _text(_runs(sizes.retry)),
        "second_hello_records": _text(_runs(sizes.second_hello)),
        "client_hello_segments": segment_count(sizes.client_hello_bytes, mss),
    }


def sizes_from_row(row: Mapping[str, Any]) -> WireSizes | None:
    """Return the sizes in a row of the cells table; None if nothing was learned, or before there were such columns."""
    if row.get("client_hello_bytes") is None:
        return None
    response = _read(row["response_records"])
    content = sum((size - SEAL_BYTES) * number for size, number in response)
    return WireSizes(
        client_hello_bytes=row["client_hello_bytes"],
        server_flight=_flat(_read(row["server_flight_records"])),
        client_flight=_flat(_read(row["client_flight_records"])),
        request_bytes=row["request_bytes"],
        response_header_bytes=row["response_header_bytes"],
        response=response,
        tickets=_flat(_read(row.get("ticket_records") or "")),
        retry=_flat(_read(row.get("hello_retry_records") or "")),
        second_hello=_flat(_read(row.get("second_hello_records") or "")),
        body_bytes=content - row["response_header_bytes"],
    )


def _runs(records: Iterable[int]) -> tuple[tuple[int, int], ...]:
    return tuple((size, len(list(run))) for size, run in itertools.groupby(records))


def _text(runs: Iterable[tuple[int, ...]]) -> str:
    return " ".join(f"{size}x{number}" if number > 1 else str(size) for size, number in runs)


def _read(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((int(size), int(number or 1)) for size, number in _RECORDS.findall(text))


def _flat(runs: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(size for size, number in runs for _ in range(number))
