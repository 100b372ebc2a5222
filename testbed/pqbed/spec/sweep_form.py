"""The form of a sweep file: which keys it may have and of what kind; and the same as a JSON schema."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import MISSING
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    WithJsonSchema,
    create_model,
)

from pqbed.errors import SpecError
from pqbed.spec.axes import axes_shown
from pqbed.spec.link_presets import LINK_AXES, NOTES
from pqbed.spec.metric import METRICS
from pqbed.spec.name_suggestions import nearest
from pqbed.spec.option_descriptions import DESCRIPTIONS
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.run_options import OLD_RUN_KEYS, RUN_OPTIONS
from pqbed.spec.value_parsers import Choice

# The most characters of a value that an error quotes.
MOST_QUOTED = 80
_ARM_LISTS = ("profile", "stack", "client_stack")
SWITCHES = ("aa", "cut_jitter")
# Key of [thresholds] -> whether a threshold there must hold, or must not.
THRESHOLDS = {"fail_if": False, "require": True}
# Tables of tables, and where the names in them are listed.
_NAMED = {
    "profiles": "name the arms in profile = [...]",
    "links": "name the links in link = [...]",
    "mixtures": "a mixture has shares of values, by axis",
}
# Texts that look like numbers: 7.10 is not 7.1.
_NO_NUMBERS = frozenset({"kernel"})
_TEXTS = ("name", "samples", "precision", "max_samples", "metric", "seed", "timeout", "resumed_share")


def _joined(value: object) -> object:
    """Turn a number or a list into the text that would be typed for it."""
    items = value if isinstance(value, list | tuple) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise ValueError(f"{_quoted(item)} is neither a text nor a number")  # noqa: TRY004 (pydantic catches this one)
    return ",".join(map(str, items))


def _text(schema: Mapping[str, Any]) -> Any:
    return Annotated[str, BeforeValidator(_joined), WithJsonSchema(dict(schema))]


def _one_of(names: Collection[str]) -> dict[str, Any]:
    return {"enum": list(names)} if names else {"type": ["string", "number"]}


def _many_of(names: Collection[str]) -> dict[str, Any]:
    """Return the schema of one value, of a comma list in a text, or of a list."""
    one = _one_of(names)
    each = "|".join(names)
    listed = [{"type": "string", "pattern": rf"^({each})(\s*,\s*({each}))+$"}] if names else []
    return {"anyOf": [one, *listed, {"type": "array", "items": one, "minItems": 1}]}


def _names(read: object) -> tuple[str, ...]:
    return read.names if isinstance(read, Choice) else ()


_Share: Any = _text(_one_of(()))
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_STRICT: dict[type, Any] = {str: _Name, int: StrictInt, bool: StrictBool}


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _form_of(value: Any, without: Collection[str] = ()) -> Any:
    """Return the form of a frozen value: the same fields, of the same kinds and bounds."""
    hints = get_type_hints(value)
    kinds: dict[str, Any] = {
        field.name: (_kind(hints[field.name], field.metadata), ... if field.default is MISSING else field.default)
        for field in dataclasses.fields(value)
        if field.name not in without
    }
    return create_model(f"{value.__name__}Form", __base__=_Form, **kinds)


def _kind(hint: Any, bounds: Mapping[str, Any]) -> Any:
    if get_origin(hint) is tuple:
        item: Any = _kind(get_args(hint)[0], {})
        return Annotated[tuple[item, ...], Field(**bounds)]
    kind, *rest = get_args(hint) or (hint,)
    form = _form_of(kind) if dataclasses.is_dataclass(kind) else Annotated[_plain(kind, bounds), Field(**bounds)]
    return form | None if rest else form


def _plain(kind: type, bounds: Mapping[str, Any]) -> Any:
    """Return the form of a text, a number or a switch; a text with no pattern of its own is a name."""
    return StrictStr if "pattern" in bounds else _STRICT[kind]


def _optional(kind: Any, description: str, **more: Any) -> Any:
    """Return a field that may be left out."""
    return (kind | None, Field(None, description=description, **more))


def _run_field(option: str) -> Any:
    read = RUN_OPTIONS[option]
    kind = StrictBool if read is None else StrictStr if option in _NO_NUMBERS else _text(_one_of(_names(read)))
    old = OLD_RUN_KEYS.get(option)
    alias = {"validation_alias": AliasChoices(option, old)} if old else {}
    return _optional(kind, DESCRIPTIONS[option], **alias)


_ProfileForm: Any = _form_of(Profile, without=("name", "copy_of"))
_run_fields: dict[str, Any] = {option: _run_field(option) for option in RUN_OPTIONS}
_RunForm = create_model("RunForm", __base__=_Form, **_run_fields)
_threshold_fields: dict[str, Any] = {
    key: (tuple[StrictStr, ...], Field((), description=DESCRIPTIONS[key])) for key in THRESHOLDS
}
_ThresholdsForm = create_model("ThresholdsForm", __base__=_Form, **_threshold_fields)
_link_fields: dict[str, Any] = {
    **{
        option: _optional(_text(_one_of(_names(axis.parse))), axis.help_one or axis.help)
        for option, axis in LINK_AXES.items()
    },
    **{note: _optional(StrictStr, DESCRIPTIONS[note]) for note in NOTES},
}
_LinkForm: Any = create_model("LinkForm", __base__=_Form, **_link_fields)
_fields: dict[str, Any] = {
    **{axis.option: _optional(_text(_many_of(_names(axis.parse))), axis.help) for axis in axes_shown()},
    **{option: _optional(_text(_many_of(())), DESCRIPTIONS[option]) for option in _ARM_LISTS},
    **{option: _optional(StrictBool, DESCRIPTIONS[option]) for option in SWITCHES},
    **{
        option: _optional(_text(_one_of(METRICS if option == "metric" else ())), DESCRIPTIONS[option])
        for option in _TEXTS
    },
    "run": (_RunForm, Field(_RunForm(), description="How the sweep is run.")),
    "thresholds": (_ThresholdsForm, Field(_ThresholdsForm(), description="What fails the run when it ends.")),
    "profiles": (dict[_Name, _ProfileForm], Field({}, description="Profiles that the sweep defines.")),
    "links": (dict[_Name, _LinkForm], Field({}, description="Links that the sweep defines, each with its own values.")),
    "mixtures": (
        dict[_Name, dict[StrictStr, dict[StrictStr, _Share]]],
        Field({}, description="Mixtures of cells: by axis, the share of each value."),
    ),
}
SweepForm: Any = create_model("Sweep", __base__=_Form, **_fields)


_KEY = {"type": "string"}
# What stands for a chain in a file that is typed; it is read into a chain before it gets here.
_CHAIN_FILES = (
    {
        "type": "object",
        "description": "A chain of the sizes of one in PEM, the leaf first.",
        "properties": {"pem": _KEY, "ocsp": {"type": "boolean"}},
        "required": ["pem"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "description": "The same chain, moved to other keys.",
        "properties": {
            **dict.fromkeys(("like", "with", "leaf", "intermediates", "root"), _KEY),
            "scts": {"type": "boolean"},
            "ocsp": {"type": "boolean"},
        },
        "required": ["like", "with"],
        "additionalProperties": False,
    },
)


def sweep_schema() -> dict[str, Any]:
    """Return the JSON schema of a sweep file."""
    schema = cast("dict[str, Any]", _without_nulls(SweepForm.model_json_schema()))
    run = schema["$defs"]["RunForm"]["properties"]
    run.update({old: {**run[new], "deprecated": True} for new, old in OLD_RUN_KEYS.items()})
    chains = schema["$defs"]["ProfileForm"]["properties"]
    chains["hello_bytes"] = {"type": "integer", "description": "Size of the ClientHello: chooses groups and shares."}
    for key in ("chain", "client_chain"):
        chains[key] = {"anyOf": [chains[key], *_CHAIN_FILES]}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pqbed sweep file",
        "description": 'Unlike on the command line, values with a unit are texts that name it: rtt = ["35ms"].',
    }
    return {**head, **schema}


def _without_nulls(schema: Any) -> Any:
    """Leave out what TOML has no word for, the defaults that mean it, and the titles pydantic makes up."""
    if isinstance(schema, list):
        return [_without_nulls(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without_nulls(value) for key, value in schema.items()}
    if kept.get("default", 0) in (None, {}):
        kept.pop("default")
    if isinstance(kept.get("title"), str):
        kept.pop("title")
    match kept:
        case {"anyOf": [dict(only)]}:
            kept.pop("anyOf")
            return {**only, **kept}
        case _:
            return kept


def form_error(error: ValidationError) -> SpecError:
    """Return the first thing that is wrong with a form in one sentence."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    match first["type"]:
        case "extra_forbidden":
            return SpecError(f"there is no option {where!r}", nearest(str(first["loc"][-1]), _options_at(first["loc"])))
        case "missing":
            return SpecError(f"{where} is missing", "give it a value")
        case "dict_type" if where in _NAMED:
            return SpecError(f"{where} is not a table", f"{_NAMED[where]}; [{where}.NAME] defines a new one")
        case "dict_type" | "model_type":
            return SpecError(f"{where} is not a table", f"write [{where}] and the keys below it")
        case "string_pattern_mismatch":
            several = first["loc"][-1] == "server_groups"
            hint = "join names by : and /" if several else "use up to 64 letters, digits, '.', '_' and '-'"
            return SpecError(f"{where}: {_quoted(first['input'])} cannot be {'names' if several else 'a name'}", hint)
        case _:
            return _form_refusal(where, first["msg"], first["input"])


def _quoted(value: object) -> str:
    """Return how `value` is written, cut if it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits (sys.set_int_max_str_digits), or of brackets
        return "a value too long to print"
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}..."


def _form_refusal(where: str, message: str, value: object) -> SpecError:
    reason = message.removeprefix("Value error, ").replace("Input should", f"{_quoted(value)} should", 1)
    return SpecError(f"{where}: {reason}", "correct the value")


def _options_at(where: tuple[int | str, ...]) -> list[str]:
    """Return the options that exist beside the one at `where`."""
    if len(where) == 1:
        return list(SweepForm.model_fields)
    if where[0] == "run":
        return list(_RunForm.model_fields)
    if where[0] == "thresholds":
        return list(THRESHOLDS)
    if where[0] == "links":
        return list(_LinkForm.model_fields)
    return list(_ProfileForm.model_fields) if len(where) == 3 else [field.name for field in dataclasses.fields(Chain)]
