"""Flags and arguments of the commands, each worded once, and the groups that `--help` shows them in."""

from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import typer

from pqbed.spec.name_suggestions import known_name
from pqbed.spec.option_descriptions import DESCRIPTIONS
from pqbed.spec.value_parsers import naming

LINK, TCP, WORKLOAD = "Link", "TCP", "Workload"
ARMS, SAMPLES, RUN, GATE = "Arms", "Samples", "Run", "Gate"
INPUT, OUTPUT, OTHER = "Input", "Output", "Other"
# In the order of `--help`.
PANELS = (LINK, TCP, WORKLOAD, ARMS, SAMPLES, RUN, GATE, INPUT, OUTPUT, OTHER)

Form = Literal["table", "markdown", "csv", "json", "latex"]
FORMS: tuple[str, ...] = get_args(Form)
TABLE: Form = "table"


def parse_form(text: str) -> Form:
    """Return the form named `text`: before anything is measured. Raises SpecError."""
    with naming("--format"):
        return cast("Form", known_name(text, FORMS, "format"))


def _flag(panel: str, *names: str, **rest: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **rest)


# The fields of an options class are named after these; where the flag is named otherwise, it is given.

Profiles = Annotated[str | None, _flag(ARMS, "--profile", metavar="NAME,...", help=DESCRIPTIONS["profile"])]
Profile = Annotated[str | None, _flag(ARMS, metavar="NAME", help="TLS profile. [default: the first one served]")]
Stacks = Annotated[str | None, _flag(ARMS, metavar="NAME,...", help=DESCRIPTIONS["stack"])]
ClientStacks = Annotated[str | None, _flag(ARMS, metavar="NAME,...", help=DESCRIPTIONS["client_stack"])]
BuiltStacks = Annotated[str | None, _flag(ARMS, metavar="NAME,...", help="Stacks to build besides the default one.")]
CopyArm = Annotated[
    bool | None,
    _flag(ARMS, "--aa/--no-aa", help=DESCRIPTIONS["aa"]),
]

ResumedShare = Annotated[
    str | None, _flag(WORKLOAD, "--resumed-share", metavar="SHARE", help=DESCRIPTIONS["resumed_share"])
]
ShownShare = Annotated[
    str | None,
    typer.Option("--resumed-share", metavar="SHARE", help="Mix full and resumed connections. [default: the sweep's]"),
]

Samples = Annotated[str | None, _flag(SAMPLES, metavar="N", help=DESCRIPTIONS["samples"])]
StudySamples = Annotated[
    str | None, _flag(SAMPLES, metavar="N", help="Samples per point. [default: as many as were published]")
]
Precision = Annotated[
    str | None,
    _flag(SAMPLES, metavar="%", help=DESCRIPTIONS["precision"]),
]
SweepMetric = Annotated[str | None, _flag(SAMPLES, "--metric", metavar="NAME", help=DESCRIPTIONS["metric"])]
MetricName = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        help="ttlb, tls (end of the handshake), first_byte, connect, bytes or retransmits. [default: the run's]",
    ),
]
MaxSamples = Annotated[str | None, _flag(SAMPLES, metavar="N", help=DESCRIPTIONS["max_samples"])]
Seed = Annotated[str | None, _flag(RUN, metavar="N", help=DESCRIPTIONS["seed"])]
LinkSeed = Annotated[str | None, _flag(LINK, metavar="N", help="Seed of loss and jitter.")]
Timeout = Annotated[str | None, _flag(WORKLOAD, metavar="S", help=DESCRIPTIONS["timeout"])]
FetchTimeout = Annotated[str, _flag(WORKLOAD, metavar="S", help=DESCRIPTIONS["timeout"])]
Repetition = Annotated[
    str,
    _flag(RUN, metavar="N", help="Index of the sample to replay from a sweep with the same seed (0-based)."),
]
Count = Annotated[str, _flag(SAMPLES, metavar="N", help="Number of fetches, each on a new connection.")]
Size = Annotated[str, _flag(WORKLOAD, metavar="KIB", help="Response size; a plain number is KiB.")]

BedName = Annotated[str | None, _flag(RUN, metavar="NAME", help=DESCRIPTIONS["bed"])]
Clock = Annotated[str | None, _flag(RUN, metavar="NAME", help=DESCRIPTIONS["clock"])]
Kernel = Annotated[str | None, _flag(RUN, metavar="X.Y", help=DESCRIPTIONS["kernel"])]
Lanes = Annotated[str | None, _flag(RUN, metavar="N", help=DESCRIPTIONS["lanes"])]
LaneCheck = Annotated[
    bool | None,
    _flag(
        RUN,
        "--lane-check/--no-lane-check",
        help=DESCRIPTIONS["lane_check"],
    ),
]
Calibrate = Annotated[
    str | None,
    _flag(
        RUN,
        metavar="WHEN",
        help=DESCRIPTIONS["calibrate"],
    ),
]
Cluster = Annotated[
    str | None,
    _flag(
        RUN,
        metavar="WHERE",
        help="Fetch on a Dask cluster: local:N (processes), tcp://HOST:PORT, or a scheduler file.",
    ),
]
ResumedRun = Annotated[
    str | None, _flag(RUN, metavar="RUN", help="Resume this run (its folder, or latest); --lanes may differ.")
]

FailIf = Annotated[list[str] | None, _flag(GATE, "--fail-if", metavar="THRESHOLD", help=DESCRIPTIONS["fail_if"])]
Require = Annotated[list[str] | None, _flag(GATE, metavar="THRESHOLD", help=DESCRIPTIONS["require"])]
JUnit = Annotated[Path | None, _flag(GATE, "--junit", metavar="FILE", help="Write the verdicts as JUnit XML.")]
GateSummary = Annotated[
    Path | None, _flag(GATE, "--summary", metavar="FILE", help="Append the verdicts to FILE, in Markdown.")
]
Annotate = Annotated[bool, _flag(GATE, "--annotate", help="Print verdicts as annotations of GitHub Actions too.")]

SpecFile = Annotated[Path | None, _flag(INPUT, metavar="FILE", help="Sweep file (TOML) to start from.")]
Preset = Annotated[str | None, _flag(INPUT, metavar="NAME", help="Built-in sweep to start from.")]

SweepFileToWrite = Annotated[Path, _flag(OUTPUT, "--to", metavar="FILE", help="Sweep file to write.")]
PresetAnswers = Annotated[bool, _flag(OTHER, "--yes", help="Ask nothing; what no flag says is the preset's.")]

Name = Annotated[str | None, _flag(OUTPUT, metavar="NAME", help=DESCRIPTIONS["name"])]
Out = Annotated[str | None, _flag(OUTPUT, metavar="DIR", help=DESCRIPTIONS["out"])]
OpenPage = Annotated[bool, _flag(OUTPUT, "--open", help="Open the page in a browser.")]
EveryOwner = Annotated[
    bool, _flag(OTHER, "--all", help="Remove what other users started on the engine too, after listing it and asking.")
]
Yes = Annotated[bool, _flag(OTHER, "--yes", help="Do not ask before --all.")]
Images = Annotated[bool, _flag(OTHER, "--images", help="Remove pqbed's images from the engine too.")]
Json = Annotated[bool, _flag(OUTPUT, "--json", help="Print JSON.")]
Format = Annotated[
    Form,
    _flag(
        OUTPUT,
        "--format",
        metavar="FORM",
        parser=parse_form,
        help="Print table, markdown, csv, json or latex. --json is short for --format json.",
    ),
]

CaBundle = Annotated[
    Path | None, _flag(OTHER, metavar="FILE", help="Additional CA certificates (PEM) to trust for downloads.")
]

RunPath = Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run, or latest.")]
RunA = Annotated[str, typer.Argument(metavar="RUN_A", help="Folder of the run to compare with, or latest.")]
RunB = Annotated[str, typer.Argument(metavar="RUN_B", help="Folder of the other run, or latest.")]
ServedFolder = Annotated[str, _flag(INPUT, metavar="DIR", help="Folder of the runs, old and new.")]
Port = Annotated[str, _flag(RUN, metavar="N", help="Port on the loopback address. [default: a free one]")]
RunsFolder = Annotated[str, _flag(INPUT, metavar="DIR", help="Folder in which to look for latest.")]
CellId = Annotated[str | None, typer.Argument(metavar="CELL", help="Id of a cell, or its beginning. [default: all]")]
Study = Annotated[
    str | None,
    typer.Argument(metavar="STUDY", help="initcwnd2025, madweb2024 (-wire, -unlimited) or paquin2020."),
]
Percentiles = Annotated[str, typer.Option(metavar="P,...", help="Percentiles, any between 0 and 100.")]
Margin = Annotated[
    str, typer.Option(metavar="%|TIME", help="Largest difference that does not matter; a plain number is %.")
]
Baseline = Annotated[
    str | None, _flag(ARMS, metavar="NAME", help="Profile to compare with. [default: the first of the sweep]")
]
Across = Annotated[
    str, typer.Option(metavar="NAME,...", help="Compare even if these differ: bed, clock, kernel, images.")
]
Measure = Annotated[bool, typer.Option("--measure", help="Measure the link too, and report what deviates.")]
Csv = Annotated[bool, typer.Option("--csv", help="Write CSV.")]
Parquet = Annotated[bool, typer.Option("--parquet", help="Write Parquet.")]
JsonRows = Annotated[bool, typer.Option("--json", help="Write a JSON array of objects.")]
TableName = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="samples, phases, cells, summary or percentiles; with the columns of their cell."
    ),
]
ToFile = Annotated[Path | None, typer.Option(metavar="FILE", help="File to write. [default: standard output]")]
AlgorithmName = Annotated[
    str, typer.Argument(metavar="NAME", help="Part of a name. [default: all]", show_default=False)
]
AskedStack = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="Stack to ask. [default: the default one]")
]
Kind = Annotated[str | None, typer.Option(metavar="KIND", help="group or signature. [default: both]")]
Cpu = Annotated[bool, typer.Option("--cpu", help="Measure the CPU time of each operation: about 3 s per row.")]

RemediesFigure = Annotated[
    Path | None,
    typer.Option("--figure", metavar="FOLDER", help="Write the figure to FOLDER/figures as well: SVG, PNG."),
]
RankedRun = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="Folder of a run, or latest. [default: measure one]", show_default=False),
]
HelpedProfile = Annotated[
    str | None, _flag(ARMS, "--profile", metavar="NAME", help="Profile to help. [default: web-p50-pq]")
]
HelpedChain = Annotated[
    Path | None,
    _flag(ARMS, "--chain", metavar="FILE", help="Help this chain (PEM, the leaf first) after it moved to ML-DSA-44."),
]
ChainFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="Read the chain from this file: certificates in PEM, the leaf first.")
]
ChainProfile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Print profiles for a sweep file: as it is, and in ML-DSA-44."),
]
StackName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the stack: a-z, 0-9 and '-'.")]
StackFolder = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Folder with the files and a stack.toml that names them.")
]
Modules = Annotated[
    list[Path] | None,
    _flag(INPUT, "--module", metavar="FILE", help="OpenSSL provider module (.so). Repeat for several."),
]
Libraries = Annotated[
    list[Path] | None,
    _flag(INPUT, "--library", metavar="FILE", help="Library that a module needs. Repeat for several."),
]
ProviderConfiguration = Annotated[
    Path | None,
    _flag(INPUT, "--conf", metavar="FILE", help="OpenSSL configuration. [default: activates the modules]"),
]
