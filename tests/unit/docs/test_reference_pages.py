"""The tables of docs/reference/ against the code: every column, field and key, and nothing else."""

import itertools
import json
import re
import tomllib
import typing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pqbed.errors import PqbedError
from pqbed.net.kernel_features import FEATURES
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.json_codec import to_json
from pqbed.spec.profile import Chain, Profile, chain_text
from pqbed.spec.sample import Outcome
from pqbed.spec.stacks import Stack
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml
from pqbed.stats.connection_phases import SAMPLE_PHASES
from pqbed.stats.percentiles import PERCENTILES
from pqbed.store.calibration_table import CALIBRATION
from pqbed.store.cpu_table import CPU
from pqbed.store.manifest import Manifest
from pqbed.store.precision_table import PRECISION
from pqbed.store.table_schemas import CELLS, CONDITIONS, SAMPLES, SUMMARY
from pqbed.trace.flights import find_flights

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
STORED = REFERENCE.parents[1] / "results" / "reference" / "madweb2024"
JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def tables(page: Any, *head: Any) -> Any:
    """Return the rows of every table on `page` whose first columns are `head`, without the backticks of names."""
    rows = []
    for block in re.findall(r"(?:^\|.*\n)+", (REFERENCE / page).read_text(), re.MULTILINE):
        first, _, *rest = block.splitlines()
        if cells(first)[: len(head)] == list(head):
            rows += [cells(line) for line in rest]
    assert rows, f"{page} has no table {head}"
    return rows


def section(page: Any, title: Any) -> Any:
    """Return the rows of the first table below the heading `title`."""
    text = (REFERENCE / page).read_text()
    below = text[re.search(rf"^#+ {re.escape(title)}$", text, re.MULTILINE).end() :]
    return [cells(line) for line in re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)[0].splitlines()[2:]]


def cells(line: Any) -> Any:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def names(text: Any) -> Any:
    """Return what `` `a_{x,y}` ``, `` `b` `` stands for: a_x, a_y, b."""
    return [name for pattern in re.findall(r"`([^`]+)`", text) for name in expand(pattern)]


def expand(pattern: Any) -> Any:
    parts = [part.split(",") if odd else [part] for odd, part in alternate(re.split(r"\{([^}]*)\}", pattern))]
    return ["".join(choice) for choice in itertools.product(*parts)]


def alternate(parts: Any) -> Any:
    return [(place % 2, part) for place, part in enumerate(parts)]


def columns(rows: Any) -> Any:
    """Return name -> type of the rows of a table of columns; a name may stand once."""
    pairs = [(name, kind) for first, kind, *_ in rows for name in names(first)]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(
    ("page", "schema"),
    [
        ("samples.md", SAMPLES),
        ("cells.md", CELLS),
        ("summary.md", SUMMARY),
        ("percentiles.md", PERCENTILES),
        ("phases.md", SAMPLE_PHASES),
        ("cpu.md", CPU),
        ("calibration.md", CALIBRATION),
    ],
)
def test_a_page_lists_the_columns_of_its_table(page: Any, schema: Any) -> None:
    assert columns(tables(page, "column", "type")) == {name: str(kind) for name, kind in schema.items()}


def test_the_columns_of_a_precision_are_its_own_and_the_conditions() -> None:
    rows = [row for row in tables("precision.md", "column", "type") if row[0].startswith("`")]
    own = {name: str(kind) for name, kind in PRECISION.items() if name not in CONDITIONS}
    assert columns(rows) == own
    assert set(columns(section("cells.md", "Conditions"))) == set(CONDITIONS)


def json_type(annotation: Any) -> Any:
    """Return how the page words the JSON form of `annotation`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if type(None) in arguments:
        rest = next(item for item in arguments if item is not type(None))
        return f"{json_type(rest)} or null"
    if origin is tuple:
        return f"array of {json_type(arguments[0])}s"
    if origin is typing.Literal:
        return json_type(type(arguments[0]))
    if origin is dict:
        return f"object of {json_type(arguments[1])}s"
    return JSON_TYPES.get(annotation, "object")


def field_types(kind: Any) -> Any:
    hints = typing.get_type_hints(kind)
    return {field.name: json_type(hints[field.name]) for field in fields(kind)}


def item_kind(kind: Any, name: Any) -> Any:
    """Return the dataclass that field `name` of `kind` is, or holds."""
    annotation = typing.get_type_hints(kind)[name]
    return next(iter(typing.get_args(annotation)), annotation)


def test_the_fields_of_a_manifest() -> None:
    page = "manifest.md"
    assert columns(section(page, "manifest.json")) == field_types(Manifest)
    for name in ("host", "resumed", "lane_checks", "pressure", "handshake_cpu"):
        assert columns(section(page, name)) == field_types(item_kind(Manifest, name)), name
    trials = (REFERENCE / page).read_text().partition("Each trial:")[2]
    rows = [cells(line) for line in re.search(r"(?:^\|.*\n)+", trials, re.MULTILINE)[0].splitlines()[2:]]
    assert columns(rows) == field_types(item_kind(item_kind(Manifest, "lane_checks"), "trials"))


def test_the_fields_of_a_flight_in_a_trace() -> None:
    flight = typing.get_args(typing.get_type_hints(find_flights)["return"])[0]
    page = columns(section("trace.md", "flights"))
    assert page.pop("payload_bytes") == "integer"  # computed
    assert page == field_types(flight)


def test_the_fields_of_verdicts_and_studies_are_those_of_the_stored_run() -> None:
    verdicts = json.loads((STORED / "verdicts.json").read_text())
    assert [names(row[0])[0] for row in tables("study.md", "field")] == list(verdicts[0])
    study = tomllib.loads((STORED / "study.toml").read_text())
    keys = {name.partition(".")[0] for row in tables("study.md", "key") for name in names(row[0])}
    assert set(study) - {"run"} <= keys
    assert {key for claim in study["claims"] for key in claim} <= keys


def keys_of_sweep(title: Any) -> Any:
    return {names(row[0])[0]: row[1].strip("`") for row in section("sweep-toml.md", title)}


def test_a_sweep_file_has_the_keys_and_defaults_of_its_page() -> None:
    page = keys_of_sweep("Axes") | keys_of_sweep("Scalars")
    written = tomllib.loads(sweep_to_toml(*sweep_from({})))
    assert set(written) - {"run", "profiles"} <= set(page)
    plain = sweep_from({})
    for key, default in page.items():
        if default:
            value = tomllib.loads(f"value = {default}")["value"]
            assert sweep_from({key: value}) == plain, key
        else:
            assert is_known({key: "1"}), key


def is_known(raw: Any) -> Any:
    """Return whether the keys of `raw` exist, whatever is thought of their values."""
    try:
        sweep_from(raw)
    except PqbedError as error:
        return "there is no option" not in error.message
    return True


def test_a_key_that_no_page_has_is_refused() -> None:
    assert not is_known({"bandwith": "1mbit"})


def test_how_a_sweep_is_run_has_the_keys_and_defaults_of_the_page() -> None:
    page = keys_of_sweep("run")
    _, options = sweep_from({})
    written = {name for name, value in to_json(options).items() if value is not None} - {"thresholds"}
    assert written <= set(page)
    for key, default in page.items():
        if default:
            value = tomllib.loads(f"value = {default}")["value"]
            assert sweep_from({"run": {key: value}})[1] == options, key
        else:
            assert is_known({"run": {key: "1"}}), key


def test_the_form_of_a_profile_and_of_a_chain() -> None:
    profile = {field.name for field in fields(Profile)} - {"name", "copy_of"} | {"hello_bytes"}
    assert set(keys_of_sweep("profiles")) == profile
    chain = {names(row[0])[0] for row in tables("sweep-toml.md", "key", "default")} - profile
    assert {field.name for field in fields(Chain)} <= chain


def test_the_profiles_that_come_with_pqbed() -> None:
    page = [(names(row[0])[0], row[1], names(row[2])[0], row[3]) for row in tables("profiles.md", "profile")]
    assert page == [
        (name, profile.group, chain_text(profile.chain), "yes" if profile.mutual else "no")
        for name, profile in builtin_profiles().items()
    ]


def test_the_outcomes_of_a_sample() -> None:
    assert [names(row[0])[0] for row in tables("outcomes.md", "outcome")] == list(typing.get_args(Outcome))


def test_the_keys_of_a_stack() -> None:
    contract = section("stacks.md", "The contract")
    assert [names(row[0])[0] for row in contract] == [field.name for field in fields(Stack) if field.name != "name"]


def test_what_each_feature_needs_of_the_kernel() -> None:
    needs = {feature.name: [module.name for module in feature.modules] for feature in FEATURES}
    page = {names(row[0])[0]: names(row[1]) for row in tables("../how-to/hosts.md", "feature") if "`" in row[0]}
    beds = {"docker", "netns"}
    assert {name: modules for name, modules in page.items() if name not in beds} == needs
    readme = {name for row in tables("../../README.md", "feature") for name in names(row[1])}
    assert readme == {module for modules in needs.values() for module in modules}


def test_a_term_stands_once_in_the_glossary_and_in_order() -> None:
    terms = [row[0].strip("*").lower() for row in tables("glossary.md", "term")]
    assert terms == sorted(set(terms))
