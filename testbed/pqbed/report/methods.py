"""Methods of a run in a paragraph for a paper, with the versions of everything, and what to cite as BibTeX."""

from collections.abc import Sequence

from pqbed.report.report_data import ReportData
from pqbed.stats.block_bootstrap import DRAWS
from pqbed.store.manifest import Manifest

_BEDS = {
    "uml": "User-mode Linux guests",
    "docker": "containers",
    "netns": "network namespaces",
    "fake": "a fake bed that measures nothing",
}
_CLOCKS = {
    "virtual": "virtual time, in which computing takes none",
    "real": "real time",
}
_STUDY = """\
@inproceedings{kampanakis2024impact,
  title     = {The impact of data-heavy, post-quantum {TLS} 1.3 on the Time-To-Last-Byte of real-world connections},
  author    = {Kampanakis, Panos and Childs-Klein, Will},
  booktitle = {Workshop on Measurements, Attacks, and Defenses for the Web (MADweb)},
  year      = {2024},
}"""


def describe_methods(manifest: Manifest, data: ReportData) -> str:
    """Return the paragraph. Every value in it is the run's."""
    return " ".join((*_what(manifest, data), *_where(manifest, data), *_statistics(data)))


def bibtex(manifest: Manifest) -> str:
    """Return the entries for pqbed, in the version of the run, and for the study whose method it builds on."""
    year = manifest.started[:4]
    software = f"""\
@software{{pqbed,
  title   = {{pqbed: a testbed for the time to last byte of post-quantum {{TLS}} 1.3}},
  author  = {{{{pqbed contributors}}}},
  version = {{{manifest.pqbed}}},
  year    = {{{year}}},
  license = {{Apache-2.0}},
}}"""
    return f"{software}\n\n{_STUDY}"


def _what(manifest: Manifest, data: ReportData) -> list[str]:
    fetches, cells = int(data.counts["n"].sum()), data.counts.height
    counts = sorted(data.counts["n"].to_list())
    each = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    measured = data.metric.noun if data.metric.prefix else "the time to last byte"
    profiles = [
        f"{row['profile']} ({row['group']}, {row['chain']} chain of {row['chain_depth']})"
        for row in data.cells.unique("profile", maintain_order=True).to_dicts()
    ]
    return [
        f"With pqbed {manifest.pqbed} we measured {measured} of {fetches:,} HTTPS fetches over TLS 1.3,",
        f"{each} in each of {cells} cells.",
        f"The profiles were {_listed(profiles)}; {data.baseline} is the baseline.",
        f"The responses had {_listed(data.sizes)}.",
    ]


def _where(manifest: Manifest, data: ReportData) -> list[str]:
    links = data.cells["where"].unique(maintain_order=True).to_list()
    common = f", all with {', '.join(data.axes.common)}" if data.axes.common else ""
    software = [f"{name} {version}" for name, version in sorted(manifest.versions.items())]
    emulated = "" if manifest.bed == "fake" else " Links were emulated with netem, read back from the kernel"
    wrong = data.cells["link_wrong"].drop_nulls()
    if emulated:
        emulated += " and, before sampling, verified by measurement." if wrong.len() else "."
    return [
        f"Links: {'; '.join(links)}{common}.",
        f"Client and server ran in {_BEDS.get(manifest.bed, manifest.bed)} in {_CLOCKS[manifest.clock]}",
        f"({', '.join([f'kernel {manifest.kernel}', *software])}),",
        f"on {manifest.host.cores} cores of {manifest.host.cpu_model}.{emulated}",
        f"The order of fetches, losses and jitter follow from seed {manifest.seed}.",
    ]


def _statistics(data: ReportData) -> list[str]:
    noise = (
        f"; an increase is called a difference only if it is above the noise floor, the most by which two equal arms "
        f"({data.copy_of}) differ"
        if data.copy_of
        else ""
    )
    failed = int(data.counts["n_failed"].sum())
    return [
        f"Increases at {_listed(data.names)} are paired by block, with 95% percentile intervals from {DRAWS:,} draws",
        f"of a block bootstrap{noise}.",
        f"Equivalence within ±{data.margin} is shown by two one-sided tests at 5%.",
        f"A failed fetch ({failed:,} were) counts as slower than all that succeeded.",
    ]


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
