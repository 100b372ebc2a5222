"""Narrative of a report: the result in three parts, and its caveats. Every number comes from the tables."""

from collections.abc import Sequence

import polars as pl

from pqbed.report.handshake_cpu import describe_handshakes
from pqbed.report.report_data import ReportData, counts_by_outcome, noise_span
from pqbed.spec.metric import TTLB, Metric
from pqbed.stats.below_floor import BELOW_HINT
from pqbed.stats.classify_difference import FINDINGS, NEGLIGIBLE_PCT
from pqbed.stats.quantiles import CONFIDENCE, interval_exists, samples_needed
from pqbed.store.manifest import Manifest

MOST_BELOW = 5


def describe_result(data: ReportData) -> tuple[str, str, str]:
    """Return the increase over the baseline, its trend over the response size, and how certain both are."""
    first = data.percentiles.filter(pl.col("percentile") == data.names[0])
    bases = first.filter(pl.col("profile") == data.baseline).select("link", "size", base="value")
    rows = first.filter(pl.col("baseline").is_not_null(), pl.col("increase").is_not_null())
    rows = rows.join(bases, on=["link", "size"], how="left").with_columns(rise=pl.col("value") - pl.col("base"))
    name = _percentile_phrase(data.names[0])
    return _describe_cost(data, rows, name), _describe_trend(data, rows), _describe_certainty(data, rows)


def _describe_cost(data: ReportData, rows: pl.DataFrame, name: str) -> str:
    if rows.is_empty():
        return "Nothing was compared: no cell has enough successful fetches of both the baseline and another profile."
    parts = [_cost_of(profile, rows.filter(pl.col("profile") == profile), data.metric) for profile in data.compared]
    costs = "; one with ".join(part for part in parts if part)
    count = rows.select("link", "size").n_unique()
    where = "over the one link and size measured" if count == 1 else f"over {count} combinations of link and size"
    return f"{name}, {where}: compared with {data.baseline}, {data.metric.subject} with {costs}."


def _cost_of(profile: str, rows: pl.DataFrame, metric: Metric) -> str:
    """Describe the increase of a profile in the cells where it differs; in the others no difference is claimed."""
    if rows.is_empty():
        return ""
    differing = rows.filter(pl.col("finding") == "differs")
    if differing.is_empty():
        return f"{profile} was not found to differ ({_count_findings(rows)})"
    low, high = _bounds(differing["increase"])
    worst = differing.sort("increase").row(-1, named=True)
    took = (
        f"{profile} {metric.verb} {_range(low, high, metric)} ({_range_of_rise(*_bounds(differing['rise']), metric)})"
    )
    if rows.height == 1:
        return f"{took}, {_interval(worst)}"
    others = rows.filter(pl.col("finding") != "differs")
    where = "" if others.is_empty() else f" where it differs (elsewhere: {_count_findings(others)})"
    return f"{took}{where}, most for {worst['size']} over {worst['where']} ({_interval(worst)})"


def _count_findings(rows: pl.DataFrame) -> str:
    counts = dict(rows.group_by("finding").len().rows())
    present = [(counts[word], word) for word in FINDINGS if word in counts]
    return ", ".join(f"{count} {'differ' if word == 'differs' and count > 1 else word}" for count, word in present)


def _describe_trend(data: ReportData, rows: pl.DataFrame) -> str:
    sizes = data.sizes
    if len(sizes) < 2 or rows.is_empty():
        return "Only one response size was compared, so the effect of the size is unknown."
    columns = ("profile", "link", "increase", "noise", "finding")
    ends = [rows.filter(pl.col("size") == size).select(columns) for size in (sizes[0], sizes[-1])]
    both = ends[0].join(ends[1], on=["profile", "link"], suffix="_last")
    if both.is_empty():
        return f"The effect of the size between {sizes[0]} and {sizes[-1]} is unknown: too many fetches failed."
    smaller = both.filter(_is_smaller()).height
    grows = "as the response grows"
    lead = {both.height: f"The increase shrinks {grows}", 0: f"The increase does not shrink {grows}"}.get(
        smaller, f"The increase shrinks {grows} in {smaller} of {both.height} comparisons"
    )
    parts, verb = [], "takes" if data.metric is TTLB else "comes to"
    for profile in both["profile"].unique(maintain_order=True):
        some = both.filter(pl.col("profile") == profile)
        first, last = (_range_of_differing(some, suffix, data.metric) for suffix in ("", "_last"))
        parts.append(f"{profile} {verb} {first} at {sizes[0]} and {last} at {sizes[-1]}")
    return f"{lead}: {'; '.join(parts)}."


def _is_smaller() -> pl.Expr:
    """Return whether the increase of the larger response is smaller, by more than the noise of either."""
    noise = pl.max_horizontal("noise", "noise_last").fill_null(0.0)
    return pl.col("increase_last") < pl.col("increase") - noise


def _range_of_differing(rows: pl.DataFrame, suffix: str, metric: Metric) -> str:
    """Return the range of the increases; those that do not differ count as zero."""
    shown = pl.when(pl.col(f"finding{suffix}") == "differs").then(pl.col(f"increase{suffix}")).otherwise(0.0)
    return _range(*_bounds(rows.select(shown.alias("shown"))["shown"]), metric)


def _describe_certainty(data: ReportData, rows: pl.DataFrame) -> str:
    total = int((data.counts["n"] - data.counts["n_unsupported"]).sum())
    failed = int(data.counts["n_failed"].sum())
    luck = f"All {total:,} fetches succeeded"
    if failed:
        luck = f"{failed:,} of {total:,} fetches failed and count as slower than all successful ones"
    luck = _describe_wrong_links(data) + luck
    bounded = rows.filter(pl.col("increase_low").is_not_null() & pl.col("increase_high").is_not_null())
    if rows.is_empty():
        return f"{luck}."
    if bounded.is_empty():
        return f"{luck}, but there are too few samples for any 95% interval."
    findings = f"Findings for {rows.height} increases at 95%: {_count_findings(rows)}"
    return f"{luck}. {findings}{_describe_noise(data, rows)}.{_without_interval(data)}"


def _describe_noise(data: ReportData, rows: pl.DataFrame) -> str:
    """Describe what the findings are based on: the margin, and the noise floor if there is one."""
    margin = f"; equivalent means within ±{data.margin}"
    span = noise_span(rows["noise"])
    return margin if span is None else f"{margin}; two equal arms differed by at most {span} (noise floor)"


def _describe_wrong_links(data: ReportData) -> str:
    links = data.cells.unique("link_id")
    wrong = links.filter(pl.col("link_wrong")).height
    return f"Calibration found {wrong} of {links.height} links wrong (see the caveats). " if wrong else ""


def _without_interval(data: ReportData) -> str:
    fewest = min(data.counts["n"].to_list())
    shares = dict(data.percentiles.select("percentile", "share").unique(maintain_order=True).rows())
    lacking = [name for name, share in shares.items() if not interval_exists(fewest, share)]
    if not lacking:
        return ""
    needed = samples_needed(max(shares[name] for name in lacking))
    have = "have" if len(lacking) > 1 else "has"
    return f" With {fewest} samples per cell, {' and '.join(lacking)} {have} no interval, which takes {needed} samples."


def describe_below_floor(data: ReportData) -> list[str]:
    """Return one sentence for each of the first cells with samples that are faster than physics allows."""
    sentences = [f"This run failed: {below.sentence()}." for below in data.below[:MOST_BELOW]]
    if len(data.below) > MOST_BELOW:
        sentences.append(f"The same holds for {len(data.below) - MOST_BELOW} more cells.")
    return [*sentences, f"{BELOW_HINT[:1].upper()}{BELOW_HINT[1:]}."] if sentences else []


def list_caveats(data: ReportData, manifest: Manifest) -> list[str]:
    """Return the limits of what the numbers of this run say."""
    caveats = []
    if manifest.bed == "fake":
        caveats.append("The fake bed measures nothing: these numbers are made up.")
    if manifest.clock == "virtual":
        caveats.append(
            "Virtual time has no CPU cost: the numbers include the bytes that cryptography adds, but not its "
            "computing time. On a fast link, where the CPU is a large part of a handshake, the true increase is higher."
        )
        if data.copy_of and manifest.bed != "fake":
            caveats.append(
                "In virtual time the two copies of an arm meet the same packets at the same instants, so the noise "
                "floor is close to zero. The effect of another sequence of losses is covered by the intervals."
            )
        caveats += _cpu_term(manifest)
    if manifest.state != "finished":
        caveats.append(f"The run is not finished ({manifest.state or 'still data, or interrupted'}).")
    if len({fact.host.host for fact in manifest.resumed} | {manifest.host.host}) > 1:
        caveats.append("The run was resumed on another host.")
    caveats += _caveats_of_cells(data)
    bounded = data.percentiles.filter(pl.col("increase_low").is_not_null()).height
    if bounded > 1:
        missing = (1 - CONFIDENCE) * bounded
        caveats.append(f"Of {bounded} intervals at 95%, about {missing:.2g} are expected to miss the true value.")
    return caveats


def _cpu_term(manifest: Manifest) -> list[str]:
    handshakes = "; ".join(describe_handshakes(manifest))
    if not handshakes:
        return []
    where = f"measured natively on {manifest.host.cpu_model}"
    return [f"The CPU time of a handshake's public-key operations, {where}, is not included: {handshakes}."]


def _caveats_of_cells(data: ReportData) -> list[str]:
    caveats = []
    segmentation = [name for name in data.cells["segmentation"].unique(maintain_order=True) if name != "wire"]
    if segmentation:
        caveats.append(
            f"With segmentation {' and '.join(segmentation)} the kernel passes some 20 segments to the link as one "
            "packet, so one loss drops all of them: lossy links look faster than with packets of wire size."
        )
    if 0 in data.cells["size_bytes"]:
        caveats.append(
            "A fetch of 0 bytes includes a request and an empty response: one round trip more than the handshake."
        )
    if data.cells["link_applied"].eq_missing(other=False).any():
        caveats.append("For some links the kernel did not confirm the requested settings; see the failures.")
    caveats += _caveats_of_links(data)
    if data.counts["n_unsupported"].sum():
        caveats.append("Profiles that a pair of stacks does not support were not fetched and have no times.")
    if data.percentiles["censored"].any():
        caveats.append("If too many fetches failed, the percentile is censored: it is larger than any observed value.")
    return caveats


def _caveats_of_links(data: ReportData) -> list[str]:
    """Return what calibration found wrong, or that links were not calibrated."""
    links = data.cells.unique("link_id", keep="first", maintain_order=True)
    caveats = [
        f"Calibration found a link that is not as requested, so its cells say nothing about that link: {where}: {what}."
        for where, what in links.filter(pl.col("link_wrong")).select("where", "link_deviations").rows()
    ]
    if links["link_wrong"].null_count():
        caveats.append("Links were not calibrated: only the settings that the kernel confirmed are known.")
    return caveats


def tabulate_failures(data: ReportData) -> list[tuple[str, str, str, int, int, str]]:
    """Return link, size, profile, failed, all, and the outcomes of each cell with failures."""
    rows = data.counts.filter(pl.col("n_failed") > 0).to_dicts()
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


def _percentile_phrase(name: str) -> str:
    return "At the median" if name == "p50" else f"At {name}"


def _bounds(values: pl.Series) -> tuple[float, float]:
    known: Sequence[float] = values.drop_nulls().to_list()
    return min(known), max(known)


def _range(low: float, high: float, metric: Metric) -> str:
    """Return `5.3% to 90.7% longer`, with the sign in words."""
    more, less = metric.more, metric.less
    if abs(high - low) < NEGLIGIBLE_PCT:
        return _longer(high, metric)
    if 0 <= low < NEGLIGIBLE_PCT:
        return f"up to {high:.1f}% {more}"
    if low >= 0:
        return f"{low:.1f}% to {high:.1f}% {more}"
    if high <= 0:
        return f"{-high:.1f}% to {-low:.1f}% {less}"
    return f"from {-low:.1f}% {less} to {high:.1f}% {more}"


def _longer(percent: float, metric: Metric) -> str:
    if abs(percent) < NEGLIGIBLE_PCT:
        return "about the same time" if metric.unit == "ms" else f"about the same {metric.unit}"
    return f"{percent:.1f}% {metric.more}" if percent > 0 else f"{-percent:.1f}% {metric.less}"


def _range_of_rise(low: float, high: float, metric: Metric) -> str:
    first, last = f"{low:+,.1f}", f"{high:+,.1f}"
    return f"{first} {metric.unit}" if first == last else f"{first} to {last} {metric.unit}"


def _interval(row: dict[str, float | None]) -> str:
    low, high = row["increase_low"], row["increase_high"]
    if low is None or high is None:
        return "no interval: too few samples"
    return f"95% interval {low:+.1f}% to {high:+.1f}%"
