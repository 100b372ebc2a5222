"""Remedies of a run, ranked per link: how much sooner the last byte comes than in the cell that is to be helped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pqbed.spec.remedies import FAST_OPEN, Remedy, connection_remedy, profile_remedy, window_remedy
from pqbed.units import format_duration, format_size

Row = Mapping[str, Any]
# What a remedy may change, one at a time.
CHANGES = ("profile", "initcwnd_server", "connection", "fast_open")
# Values that follow from those, or from what was measured.
_FOLLOW = frozenset({"initcwnd_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A remedy in one cell. Times in ns; `p50_ns` None: censored. `flight_bytes`: the server's first flight."""

    remedy: Remedy
    profile: str
    connection: str
    flight_bytes: int | None
    p50_ns: float | None
    p90_ns: float | None
    saved_ns: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedLink:
    """The remedies of one link and size, the one that saves most first. `helped` is the cell that they start from."""

    helped: Row
    remedies: tuple[Ranked, ...]

    @property
    def title(self) -> str:
        """Return the name of the link, or its round-trip time, and the size."""
        link = self.helped["link_name"] or f"rtt {format_duration(self.helped['rtt_ns'])}"
        return f"{link}, {format_size(self.helped['size_bytes'])}"


def rank_remedies(rows: Sequence[Row], conditions: Sequence[str]) -> tuple[RankedLink, ...]:
    """Return the remedies of every link in `rows` (cells with their summary, in the order of the plan).

    `conditions` are the columns that tell cells apart. The first cell of each link is to be helped; a remedy differs
    from it in one of CHANGES, which cells with two of them changed are left out for.
    """
    same = [name for name in conditions if name not in CHANGES and name not in _FOLLOW]
    links: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        links.setdefault(tuple(row[name] for name in same), []).append(row)
    return tuple(_rank(members) for members in links.values())


def _rank(rows: Sequence[Row]) -> RankedLink:
    helped = rows[0]
    ranked = [_compare(helped, row, changed[0]) for row in rows[1:] if len(changed := _changed(helped, row)) == 1]
    ranked.sort(key=lambda one: one.p50_ns if one.p50_ns is not None else float("inf"))
    return RankedLink(helped=helped, remedies=tuple(ranked))


def _changed(helped: Row, row: Row) -> list[str]:
    # Runs from before it was an axis have no column of it.
    return [name for name in CHANGES if row.get(name) != helped.get(name)]


def _remedy(changed: str, value: Any) -> Remedy:
    if changed == "profile":
        return profile_remedy(value)
    if changed == "fast_open":
        return FAST_OPEN
    return window_remedy(value) if changed == "initcwnd_server" else connection_remedy(value)


def _compare(helped: Row, row: Row, changed: str) -> Ranked:
    known = row["p50_ns"] is not None and helped["p50_ns"] is not None
    return Ranked(
        remedy=_remedy(changed, row[changed]),
        profile=row["profile"],
        connection=row["connection"],
        flight_bytes=row["server_flight_bytes"],
        p50_ns=row["p50_ns"],
        p90_ns=row["p90_ns"],
        saved_ns=helped["p50_ns"] - row["p50_ns"] if known else None,
    )
