"""The answer in three sentences, and what must be kept in mind with it. Every number comes from the tables."""

from collections.abc import Sequence

import polars as pl

from pqbed.report.frame import Measured, counts_by_outcome, noise_span
from pqbed.report.handshake import tell_handshakes
from pqbed.stats.finding import FINDINGS, NEGLIGIBLE_PCT
from pqbed.stats.floor import BELOW_HINT
from pqbed.stats.quantiles import interval_exists, samples_needed
from pqbed.store.manifest import Manifest

MOST_BELOW = 5


def tell_answer(measured: Measured) -> tuple[str, str, str]:
    """Return what it costs, how that changes with the size, and how sure that is."""
    first = measured.percentiles.filter(pl.col("percentile") == measured.names[0])
    bases = first.filter(pl.col("profile") == measured.baseline).select("link", "size", base_ms="value_ms")
    rows = first.filter(pl.col("baseline").is_not_null(), pl.col("increase").is_not_null())
    rows = rows.join(bases, on=["link", "size"], how="left").with_columns(
        more_ms=pl.col("value_ms") - pl.col("base_ms")
    )
    name = _word_percentile(measured.names[0])
    return _tell_cost(measured, rows, name), _tell_trend(measured, rows), _tell_certainty(measured, rows)


def _tell_cost(measured: Measured, rows: pl.DataFrame, name: str) -> str:
    if rows.is_empty():
        return "Nothing was compared: no cell has both a baseline and another profile with enough successful fetches."
    parts = [_cost_of(profile, rows.filter(pl.col("profile") == profile)) for profile in measured.compared]
    costs = "; one with ".join(part for part in parts if part)
    count = rows.select("link", "size").n_unique()
    where = "over the one link and size measured" if count == 1 else f"over {count} combinations of link and size"
    return f"{name}, {where}, compared with {measured.baseline}: a fetch with {costs}."


def _cost_of(profile: str, rows: pl.DataFrame) -> str:
    """Tell what a profile costs where it differs; where it does not, no difference is told."""
    if rows.is_empty():
        return ""
    differing = rows.filter(pl.col("finding") == "differs")
    if differing.is_empty():
        return f"{profile} is not found to differ ({_count_findings(rows)})"
    low, high = _bounds(differing["increase"])
    worst = differing.sort("increase").row(-1, named=True)
    took = f"{profile} took {_range(low, high)} ({_range_ms(*_bounds(differing['more_ms']))})"
    if rows.height == 1:
        return f"{took}, {_interval(worst)}"
    others = rows.filter(pl.col("finding") != "differs")
    where = "" if others.is_empty() else f" where it differs ({_count_findings(others)} besides)"
    return f"{took}{where}, most of all for {worst['size']} over {worst['where']} ({_interval(worst)})"


def _count_findings(rows: pl.DataFrame) -> str:
    counts = dict(rows.group_by("finding").len().rows())
    told = [(counts[word], word) for word in FINDINGS if word in counts]
    return ", ".join(f"{count} {'differ' if word == 'differs' and count > 1 else word}" for count, word in told)


def _tell_trend(measured: Measured, rows: pl.DataFrame) -> str:
    sizes = measured.sizes
    if len(sizes) < 2 or rows.is_empty():
        return "Only one size of response was compared, so nothing can be said on how the cost changes with it."
    columns = ("profile", "link", "increase", "noise", "finding")
    ends = [rows.filter(pl.col("size") == size).select(columns) for size in (sizes[0], sizes[-1])]
    both = ends[0].join(ends[1], on=["profile", "link"], suffix="_last")
    if both.is_empty():
        return f"How the cost changes between {sizes[0]} and {sizes[-1]} is not known: too many fetches failed there."
    smaller = both.filter(_is_smaller()).height
    lead = {both.height: "It shrinks as the response grows", 0: "It does not shrink as the response grows"}.get(
        smaller, f"It shrinks as the response grows in {smaller} of {both.height} comparisons"
    )
    parts = []
    for profile in both["profile"].unique(maintain_order=True):
        some = both.filter(pl.col("profile") == profile)
        first, last = (_range_found(some, suffix) for suffix in ("", "_last"))
        parts.append(f"{profile} takes {first} at {sizes[0]}, and {last} at {sizes[-1]}")
    return f"{lead}: {'; '.join(parts)}."


def _is_smaller() -> pl.Expr:
    """Tell whether the increase of the larger response is smaller, by more than the noise of either."""
    noise = pl.max_horizontal("noise", "noise_last").fill_null(0.0)
    return pl.col("increase_last") < pl.col("increase") - noise


def _range_found(rows: pl.DataFrame, suffix: str) -> str:
    """Return the range of the increases that differ; what does not is no longer."""
    shown = pl.when(pl.col(f"finding{suffix}") == "differs").then(pl.col(f"increase{suffix}")).otherwise(0.0)
    return _range(*_bounds(rows.select(shown.alias("shown"))["shown"]))


def _tell_certainty(measured: Measured, rows: pl.DataFrame) -> str:
    total = int((measured.counts["n"] - measured.counts["n_unsupported"]).sum())
    failed = int(measured.counts["n_failed"].sum())
    luck = f"All {total:,} fetches succeeded"
    if failed:
        luck = f"{failed:,} of {total:,} fetches failed and count as slower than all that succeeded"
    luck = _tell_wrong_links(measured) + luck
    bounded = rows.filter(pl.col("increase_low").is_not_null() & pl.col("increase_high").is_not_null())
    if rows.is_empty():
        return f"{luck}."
    if bounded.is_empty():
        return f"{luck}, but there are too few samples for any 95 % interval."
    found = f"of {rows.height} increases, at 95 %: {_count_findings(rows)}"
    return f"{luck}; {found}{_tell_noise(measured, rows)}{_without_interval(measured)}."


def _tell_noise(measured: Measured, rows: pl.DataFrame) -> str:
    """Tell what the findings stand on: the margin, and the noise floor where there is one."""
    margin = f"; equivalent is within ±{measured.margin}"
    span = noise_span(rows["noise"])
    return margin if span is None else f"{margin}, and two equal arms differed by {span} at most (the noise floor)"


def _tell_wrong_links(measured: Measured) -> str:
    links = measured.cells.unique("link_id")
    wrong = links.filter(pl.col("link_wrong")).height
    return f"Calibration found {wrong} of {links.height} links wrong, see the caveats. " if wrong else ""


def _without_interval(measured: Measured) -> str:
    fewest = min(measured.counts["n"].to_list())
    shares = dict(measured.percentiles.select("percentile", "share").unique(maintain_order=True).rows())
    lacking = [name for name, share in shares.items() if not interval_exists(fewest, share)]
    if not lacking:
        return ""
    needed = samples_needed(max(shares[name] for name in lacking))
    have = "have" if len(lacking) > 1 else "has"
    return f"; with {fewest} samples a cell {' and '.join(lacking)} {have} no interval (that takes {needed})"


def tell_below_floor(measured: Measured) -> list[str]:
    """Return one sentence for each cell with samples that are faster than physics allows."""
    told = [f"This run failed: {one.sentence()}." for one in measured.below[:MOST_BELOW]]
    more = len(measured.below) - MOST_BELOW
    return [*told, *([f"And so in {more} more cells."] if more > 0 else []), *([f"So {BELOW_HINT}."] if told else [])]


def tell_caveats(measured: Measured, manifest: Manifest) -> list[str]:
    """Return what the numbers do not say, for this run."""
    found = []
    if manifest.bed == "fake":
        found.append("The fake bed measures nothing: these numbers are invented and mean nothing.")
    if manifest.clock == "virtual":
        found.append(
            "Virtual time has no CPU cost: what the cryptography itself computes is not in these numbers, only what it "
            "sends. On a fast link, where the CPU is a large part of a handshake, the true increase is higher."
        )
        if measured.copy_of and manifest.bed != "fake":
            found.append(
                "In virtual time the two copies of one arm meet the same packets at the same instants, so the noise "
                "floor is next to nothing. What another sequence of losses would have changed is in the intervals."
            )
        found += _cpu_term(manifest)
    if manifest.state != "finished":
        found.append(f"The run is not finished ({manifest.state or 'still measured, or interrupted'}).")
    if len({fact.host.host for fact in manifest.resumed} | {manifest.host.host}) > 1:
        found.append("The run was taken up again on another host.")
    found += _caveats_of_cells(measured)
    bounded = measured.percentiles.filter(pl.col("increase_low").is_not_null()).height
    if bounded > 1:
        missing = max(1, round(0.05 * bounded))
        found.append(f"Of {bounded} intervals at 95 %, about {missing} miss the true value by chance alone.")
    return found


def _cpu_term(manifest: Manifest) -> list[str]:
    told = tell_handshakes(manifest)
    if not told:
        return []
    where = f"measured natively on {manifest.host.cpu_model}"
    return [f"The CPU time of a handshake's public-key operations, {where}, comes on top ({'; '.join(told)})."]


def _caveats_of_cells(measured: Measured) -> list[str]:
    found = []
    segmentation = [name for name in measured.cells["segmentation"].unique(maintain_order=True) if name != "wire"]
    if segmentation:
        found.append(
            f"With segmentation {' and '.join(segmentation)} the kernel hands some 20 segments to the link as one "
            "packet, so a loss takes them all: lossy links look faster than with packets of wire size."
        )
    if 0 in measured.cells["size_bytes"]:
        found.append("A fetch of 0 bytes has a request and an empty response: one round trip more than the handshake.")
    if measured.cells["link_applied"].eq_missing(other=False).any():
        found.append("Over some links the kernel did not confirm what was asked; see the failures.")
    found += _caveats_of_links(measured)
    if measured.counts["n_unsupported"].sum():
        found.append("What a pair of stacks does not support was not fetched, and has no times.")
    if measured.percentiles["censored"].any():
        found.append("Where more fetches failed than a percentile leaves room for, it is above all that was seen.")
    return found


def _caveats_of_links(measured: Measured) -> list[str]:
    """Tell what calibration found wrong, or that there was none."""
    links = measured.cells.unique("link_id", keep="first", maintain_order=True)
    found = [
        f"Calibration found a link that is not as asked, so its cells say nothing of the one that was: {where}: {what}."
        for where, what in links.filter(pl.col("link_wrong")).select("where", "link_deviations").rows()
    ]
    if links["link_wrong"].null_count():
        found.append("Links were not measured before they were used: only what the kernel confirmed is known of them.")
    return found


def tell_failures(measured: Measured) -> list[tuple[str, str, str, int, int, str]]:
    """Return link, size, profile, failed, all, and the outcomes of each cell with failures."""
    rows = measured.counts.filter(pl.col("n_failed") > 0).to_dicts()
    return [
        (
            row["where"],
            row["size"],
            row["profile"],
            row["n_failed"],
            row["n"],
            ", ".join(f"{count} {name}" for name, count in counts_by_outcome(row).items()),
        )
        for row in rows
    ]


def _word_percentile(name: str) -> str:
    return "At the median" if name == "p50" else f"At {name}"


def _bounds(values: pl.Series) -> tuple[float, float]:
    known: Sequence[float] = values.drop_nulls().to_list()
    return min(known), max(known)


def _range(low: float, high: float) -> str:
    """Return `5.3 % to 90.7 % longer`, with the sign in the words."""
    if abs(high - low) < NEGLIGIBLE_PCT:
        return _longer(high)
    if 0 <= low < NEGLIGIBLE_PCT:
        return f"up to {high:.1f} % longer"
    if low >= 0:
        return f"{low:.1f} % to {high:.1f} % longer"
    if high <= 0:
        return f"{-high:.1f} % to {-low:.1f} % shorter"
    return f"from {-low:.1f} % shorter to {high:.1f} % longer"


def _longer(percent: float) -> str:
    if abs(percent) < NEGLIGIBLE_PCT:
        return "no longer"
    return f"{percent:.1f} % longer" if percent > 0 else f"{-percent:.1f} % shorter"


def _range_ms(low: float, high: float) -> str:
    first, last = f"{low:+,.1f}", f"{high:+,.1f}"
    return f"{first} ms" if first == last else f"{first} to {last} ms"


def _interval(row: dict[str, float | None]) -> str:
    low, high = row["increase_low"], row["increase_high"]
    if low is None or high is None:
        return "no interval: too few samples"
    return f"95 % interval {low:+.1f} to {high:+.1f} %"
