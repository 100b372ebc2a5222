"""A first sweep file: a preset with what was answered laid over it, each key under a comment."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from pqbed.atomic_files import write_atomic
from pqbed.errors import SpecError
from pqbed.plan import plan_sweep
from pqbed.spec.axes import AXES, axes_shown
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.link_presets import link_table
from pqbed.spec.mixture_tables import mixture_table
from pqbed.spec.option_descriptions import DESCRIPTIONS
from pqbed.spec.presets import preset
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_toml import profile_table, sweep_from
from pqbed.spec.value_parsers import naming
from pqbed_cli.options import InitOptions
from pqbed_cli.workflow_results import SweepFile

DEFAULT_PRESET = "web-mobile"
HEAD = """\
# A sweep: every combination of the values below is measured.
#   pqbed plan  --spec {file}    how long it takes
#   pqbed sweep --spec {file}    measure it
# Other keys: `pqbed sweep --help`; all of them as a JSON schema: `pqbed schema`.
"""
THRESHOLDS = """\
# What fails `pqbed sweep` and `pqbed check` with exit code 5; take out the '#'.
# [thresholds]
# fail_if = ["{profile}.ttlb.p50.increase > 10%"]
"""
# In this order; the name of the sweep is the preset's where none is given.
_FIRST = ("name", "profile")
_LAST = ("samples", "aa")
# Always there where no link is named.
_LINK = ("rtt", "bandwidth", "loss")
# Of the help for the command line: in a file every value has its unit.
_BARE = re.compile(r"; a plain number is [^;.]*")


def write_sweep_file(options: InitOptions, preset_name: str) -> SweepFile:
    """Write the file. Raises SpecError for a wrong answer, or if the file is there."""
    path = options.to
    if path.exists():
        raise SpecError(f"{path} is there already", "remove it, or name another file with --to")
    with naming("--preset"):
        base = preset(preset_name)
    answers = {**options.axes, "profile": options.profile, "samples": options.samples}
    typed = {key: text for key, text in answers.items() if text is not None}
    sweep, _ = sweep_from(typed, bare=True, under=_without_links(base) if _says_links(options.axes) else base)
    keys = {*base, *typed, *(() if sweep.links else _LINK)}
    text = "\n".join((HEAD.format(file=path), *_parts(sweep, keys), THRESHOLDS.format(profile=sweep.profiles[-1].name)))
    write_atomic(path, text.encode(), hint="name another file with --to")
    return SweepFile(path=path, preset=preset_name, cells=len(plan_sweep(sweep).cells))


def answers_of(preset_name: str) -> dict[str, str]:
    """Return what the preset says, each value as it would be typed, by option. Raises SpecError for an unknown name."""
    with naming("--preset"):
        table = preset(preset_name)
    return {key: ",".join(map(str, value if isinstance(value, list) else [value])) for key, value in table.items()}


def _says_links(axes: Mapping[str, str]) -> bool:
    """Return whether round-trip times were typed instead of named links."""
    return "rtt" in axes and "link" not in axes


def _without_links(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in ("link", "links")}


def _parts(sweep: Sweep, keys: set[str]) -> Iterator[str]:
    """Yield each key of the file with its comment, the tables of links and profiles last."""
    values = _values(sweep)
    for key in (*_FIRST, *(axis.option for axis in axes_shown()), *_LAST):
        if key in keys and key in values:
            words = _BARE.sub("", AXES[key].help if key in AXES else DESCRIPTIONS[key])
            yield f"# {words}\n{tomli_w.dumps({key: values[key]})}"
    own = {link.name: link_table(link) for link in sweep.links if not link.source}
    if own:
        yield tomli_w.dumps({"links": own})
    known = builtin_profiles()
    profiles = {profile.name: profile_table(profile) for profile in sweep.profiles if profile.name not in known}
    if profiles:
        yield tomli_w.dumps({"profiles": profiles})
    if sweep.mixtures:
        yield tomli_w.dumps({"mixtures": {mixture.name: mixture_table(mixture) for mixture in sweep.mixtures}})


def _values(sweep: Sweep) -> dict[str, Any]:
    axes = {axis.option: [axis.format(value) for value in axis.values(sweep)] for axis in AXES.values()}
    if not sweep.links:
        del axes["link"]
    return {
        "name": sweep.name,
        "profile": [profile.name for profile in sweep.profiles],
        "samples": sweep.samples,
        "aa": sweep.aa,
        **axes,
    }
