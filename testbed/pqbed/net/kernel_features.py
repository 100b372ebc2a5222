"""Kernel modules by feature: what traces, losses, queues and congestion control need beyond netem.

The kernel loads most of them by itself when they are first used. A kernel that was built without one, or a host that
lets nobody load one, refuses the feature, with `load_hint`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module of the kernel, and the option that builds it (without CONFIG_)."""

    name: str
    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A command, or a flag with its value, and the modules that it takes."""

    name: str
    modules: tuple[Module, ...]


NETEM = Module(name="sch_netem", option="NET_SCH_NETEM")
_INGRESS = Module(name="sch_ingress", option="NET_SCH_INGRESS")  # clsact too
_MATCHALL = Module(name="cls_matchall", option="NET_CLS_MATCHALL")
_U32 = Module(name="cls_u32", option="NET_CLS_U32")
_GACT = Module(name="act_gact", option="NET_ACT_GACT")
_POLICE = Module(name="act_police", option="NET_ACT_POLICE")
_TBF = Module(name="sch_tbf", option="NET_SCH_TBF")

TRACE = Feature(
    name="pqbed trace",
    modules=(
        Module(name="dummy", option="DUMMY"),
        _INGRESS,
        _MATCHALL,
        Module(name="act_mirred", option="NET_ACT_MIRRED"),
    ),
)
FEATURES = (
    TRACE,
    Feature(name="--drop", modules=(_INGRESS, _MATCHALL, _GACT)),
    Feature(name="--path-mtu SIZE:swallowed", modules=(_INGRESS, _MATCHALL, _POLICE)),
    Feature(name="--middlebox", modules=(_INGRESS, _U32, _GACT, _POLICE)),
    Feature(name="--queue in bytes or ms", modules=(_TBF,)),
    Feature(
        name="--queue-discipline fq_codel",
        modules=(_TBF, Module(name="sch_fq_codel", option="NET_SCH_FQ_CODEL")),
    ),
    Feature(name="--queue-discipline pie", modules=(_TBF, Module(name="sch_pie", option="NET_SCH_PIE"))),
    Feature(name="--queue-discipline cake", modules=(Module(name="sch_cake", option="NET_SCH_CAKE"),)),
    Feature(name="--congestion-control bbr", modules=(Module(name="tcp_bbr", option="TCP_CONG_BBR"),)),
)


def all_modules() -> tuple[Module, ...]:
    """Return every module of FEATURES once."""
    return tuple(dict.fromkeys(module for feature in FEATURES for module in feature.modules))


def features_without(missing: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the features that a kernel without the modules `missing` lacks, each with those it would need."""
    absent = set(missing)
    needs = {feature.name: tuple(one.name for one in feature.modules if one.name in absent) for feature in FEATURES}
    return {name: modules for name, modules in needs.items() if modules}


def load_hint(*modules: str) -> str:
    """Return what to do about a kernel that lacks `modules`."""
    return (
        f"load what is missing on the engine's host (modprobe -a {' '.join(modules)}), or use the uml bed, which "
        "brings its own kernel: --bed uml"
    )
