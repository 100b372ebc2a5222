"""netem settings as netlink messages, and back.

Settings that a message leaves out, on a change (net/sched/sch_netem.c, netem_change, Linux 6.12 and 7.3):

- limit, delay, jitter, random loss, gap and duplication are always overwritten: they sit in the fixed part,
  and LATENCY64 and JITTER64 only raise its precision. Left out, they become 0;
- the loss model becomes random without LOSS; with LOSS the Gilbert-Elliott chain starts in its good state;
- rate, correlation, reordering, corruption, ECN and slots stay as they were: always sent here;
- a distribution table stays, cannot be unset, and is not shown by a dump. So the qdisc's *handle* says which
  table it has: another distribution is another handle, which makes the kernel graft a new qdisc;
- PRNG_SEED starts the generator anew; without it the stream goes on.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pyroute2.netlink import NLA_F_NESTED, nla, nlmsg

from pqbed.errors import SpecError
from pqbed.net.tc_messages import TC_H_ROOT
from pqbed.spec.delay_tables import table_bytes
from pqbed.spec.link import PPM, Distribution, GilbertElliott, Loss, RandomLoss
from pqbed.spec.link_end_shape import EndShape

HANDLES: dict[Distribution, int] = {
    "uniform": 0x7071_0000,
    "normal": 0x7072_0000,
    "pareto": 0x7073_0000,
    "paretonormal": 0x7074_0000,
}
DISTRIBUTIONS: dict[int, Distribution] = {handle: name for name, handle in HANDLES.items()}

U32_MAX = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class GilbertElliottOdds:
    """The four odds as the kernel has them: the third is that of *keeping* a packet in the bad state."""

    enter_bad: int
    leave_bad: int
    keep_in_bad: int
    lose_in_good: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Netem:
    """netem's settings in the kernel's own units: ns, bytes a second (0: no limit), odds of 2^32-1.

    `seed` is None if the kernel has none (before 6.6). `rest` names settings that pqbed never uses.
    """

    delay_ns: int
    jitter_ns: int
    distribution: Distribution
    loss: int
    burst_loss: GilbertElliottOdds | None
    rate_bytes: int
    limit_packets: int
    seed: int | None
    reorder: int = 0
    duplicate: int = 0
    corrupt: int = 0
    rest: tuple[str, ...] = ()


class QdiscMessage(nlmsg):  # type: ignore[misc]
    """A tcmsg whose options are netem's, with the attributes that pyroute2's own class lacks.

    Not derived from pyroute2's tcmsg: that notes on the class that its attribute map is compiled, a
    derived class would inherit the note, and its own map would never be used.
    """

    fields = (
        ("family", "B"),
        ("pad1", "B"),
        ("pad2", "H"),
        ("index", "i"),
        ("handle", "I"),
        ("parent", "I"),
        ("info", "I"),
    )
    nla_map = (
        ("TCA_UNSPEC", "none"),
        ("TCA_KIND", "asciiz"),
        ("TCA_OPTIONS", "netem"),
    )

    class netem(nla):  # type: ignore[misc]  # noqa: N801 - pyroute2 finds it by this name
        fields = (
            ("latency", "I"),
            ("limit", "I"),
            ("loss", "I"),
            ("gap", "I"),
            ("duplicate", "I"),
            ("jitter", "I"),
        )
        nla_map = (
            ("TCA_NETEM_UNSPEC", "none"),
            ("TCA_NETEM_CORR", "corr"),
            ("TCA_NETEM_DELAY_DIST", "cdata"),
            ("TCA_NETEM_REORDER", "odds"),
            ("TCA_NETEM_CORRUPT", "odds"),
            ("TCA_NETEM_LOSS", "loss_model"),
            ("TCA_NETEM_RATE", "rate"),
            ("TCA_NETEM_ECN", "uint32"),
            ("TCA_NETEM_RATE64", "uint64"),
            ("TCA_NETEM_PAD", "none"),
            ("TCA_NETEM_LATENCY64", "int64"),
            ("TCA_NETEM_JITTER64", "int64"),
            ("TCA_NETEM_SLOT", "slot"),
            ("TCA_NETEM_SLOT_DIST", "cdata"),
            ("TCA_NETEM_PRNG_SEED", "uint64"),
        )

        class corr(nla):  # type: ignore[misc]  # noqa: N801
            fields = (("delay", "I"), ("loss", "I"), ("duplicate", "I"))

        class odds(nla):  # type: ignore[misc]  # noqa: N801
            fields = (("probability", "I"), ("correlation", "I"))

        class rate(nla):  # type: ignore[misc]  # noqa: N801
            fields = (("rate", "I"), ("packet_overhead", "i"), ("cell_size", "I"), ("cell_overhead", "i"))

        class slot(nla):  # type: ignore[misc]  # noqa: N801
            fields = (
                ("min_delay", "q"),
                ("max_delay", "q"),
                ("max_packets", "i"),
                ("max_bytes", "i"),
                ("dist_delay", "q"),
                ("dist_jitter", "q"),
            )

        class loss_model(nla):  # type: ignore[misc]  # noqa: N801
            nla_flags = NLA_F_NESTED
            nla_map = (
                ("NETEM_LOSS_UNSPEC", "none"),
                ("NETEM_LOSS_GI", "hex"),
                ("NETEM_LOSS_GE", "gemodel"),
            )

            class gemodel(nla):  # type: ignore[misc]  # noqa: N801
                fields = (("p", "I"), ("r", "I"), ("h", "I"), ("k1", "I"))


def netem_of(shape: EndShape) -> Netem | None:
    """Return the netem settings of `shape`, None if the link needs no netem."""
    if shape.rate_bps is not None and shape.rate_bps < 8:
        raise SpecError("netem's smallest rate is 8 bit/s", hint="leave the bandwidth out for no limit")
    loss, burst_loss = odds_of(shape.loss)
    wanted = Netem(
        delay_ns=shape.delay_ns,
        jitter_ns=shape.jitter_ns,
        distribution=shape.distribution,
        loss=loss,
        burst_loss=burst_loss,
        rate_bytes=0 if shape.rate_bps is None else shape.rate_bps // 8,
        limit_packets=shape.limit_packets,
        seed=shape.seed,
        reorder=odds(shape.reorder_ppm),
        duplicate=odds(shape.duplicate_ppm),
        corrupt=odds(shape.corrupt_ppm),
    )
    idle = not (wanted.delay_ns or wanted.jitter_ns or wanted.loss or wanted.burst_loss or wanted.rate_bytes)
    idle = idle and not (wanted.duplicate or wanted.corrupt)
    return None if idle else wanted


def odds_of(loss: Loss) -> tuple[int, GilbertElliottOdds | None]:
    """Return random loss and burst loss in the kernel's units; one of them is nothing."""
    match loss:
        case RandomLoss():
            return odds(loss.probability_ppm), None
        case GilbertElliott():
            return 0, GilbertElliottOdds(
                enter_bad=odds(loss.enter_bad_ppm),
                leave_bad=odds(loss.leave_bad_ppm),
                keep_in_bad=U32_MAX - odds(loss.loss_in_bad_ppm),
                lose_in_good=odds(loss.loss_in_good_ppm),
            )


def loss_of(netem: Netem) -> Loss:
    """Return the loss in ppm, to the nearest."""
    if netem.burst_loss is None:
        return RandomLoss(probability_ppm=ppm(netem.loss))
    return GilbertElliott(
        enter_bad_ppm=ppm(netem.burst_loss.enter_bad),
        leave_bad_ppm=ppm(netem.burst_loss.leave_bad),
        loss_in_bad_ppm=ppm(U32_MAX - netem.burst_loss.keep_in_bad),
        loss_in_good_ppm=ppm(netem.burst_loss.lose_in_good),
    )


def odds(probability_ppm: int) -> int:
    """Return a probability as the kernel has it: 2^32-1 is certain. Rounded as tc does, ties to even."""
    return round(Fraction(probability_ppm * U32_MAX, PPM))


def ppm(of_u32: int) -> int:
    """Return a probability of the kernel's, to the nearest millionth."""
    return round(Fraction(of_u32 * PPM, U32_MAX))


def message(index: int, netem: Netem) -> QdiscMessage:
    """Return the message that sets all of `netem` on the root of interface `index`."""
    built = QdiscMessage()
    built["index"] = index
    built["handle"] = HANDLES[netem.distribution]
    built["parent"] = TC_H_ROOT
    built["attrs"] = [["TCA_KIND", "netem"], ["TCA_OPTIONS", _options(netem)]]
    return built


def change_message(index: int, netem: Netem) -> QdiscMessage:
    """Return the message that changes `netem` and lets its random stream go on."""
    built = message(index, netem)
    built["attrs"][1][1]["attrs"].pop()  # the seed
    return built


def _options(netem: Netem) -> dict[str, Any]:
    attrs: list[list[Any]] = [
        ["TCA_NETEM_LATENCY64", netem.delay_ns],
        ["TCA_NETEM_JITTER64", netem.jitter_ns],
        ["TCA_NETEM_CORR", {"delay": 0, "loss": 0, "duplicate": 0}],
        ["TCA_NETEM_REORDER", {"probability": netem.reorder, "correlation": 0}],
        ["TCA_NETEM_CORRUPT", {"probability": netem.corrupt, "correlation": 0}],
        ["TCA_NETEM_ECN", 0],
        [
            "TCA_NETEM_SLOT",
            {"min_delay": 0, "max_delay": 0, "max_packets": 0, "max_bytes": 0, "dist_delay": 0, "dist_jitter": 0},
        ],
        # The kernel takes the larger of the two: RATE may be saturated only if RATE64 is beyond it.
        ["TCA_NETEM_RATE64", netem.rate_bytes],
        [
            "TCA_NETEM_RATE",
            {"rate": min(netem.rate_bytes, U32_MAX), "packet_overhead": 0, "cell_size": 0, "cell_overhead": 0},
        ],
    ]
    if netem.burst_loss is not None:
        burst = netem.burst_loss
        model = {"p": burst.enter_bad, "r": burst.leave_bad, "h": burst.keep_in_bad, "k1": burst.lose_in_good}
        attrs.append(["TCA_NETEM_LOSS", {"attrs": [["NETEM_LOSS_GE", model]]}])
    if netem.distribution != "uniform":
        attrs.append(["TCA_NETEM_DELAY_DIST", table_bytes(netem.distribution)])
    # Last, so that a message made once can be given another seed in place.
    attrs.append(["TCA_NETEM_PRNG_SEED", netem.seed])
    return {
        "latency": 0,
        "limit": netem.limit_packets,
        "loss": netem.loss,
        # Every packet may overtake those before it (netem_enqueue).
        "gap": int(netem.reorder > 0),
        "duplicate": netem.duplicate,
        "jitter": 0,
        "attrs": attrs,
    }


def decode(data: bytes) -> Netem:
    """Return netem's settings from a kernel's RTM_NEWQDISC of kind netem.

    A handle that is not pqbed's counts as `uniform`, and is named in `rest`: its table cannot be seen.
    """
    read = QdiscMessage(data)
    read.decode()
    options = read.get_attr("TCA_OPTIONS")
    rate = options.get_attr("TCA_NETEM_RATE") or {"rate": 0}
    model = options.get_attr("TCA_NETEM_LOSS")
    chain = model.get_attr("NETEM_LOSS_GE") if model is not None else None
    return Netem(
        delay_ns=options.get_attr("TCA_NETEM_LATENCY64", 0),
        jitter_ns=options.get_attr("TCA_NETEM_JITTER64", 0),
        distribution=DISTRIBUTIONS.get(read["handle"], "uniform"),
        loss=options["loss"],
        burst_loss=None
        if chain is None
        else GilbertElliottOdds(
            enter_bad=chain["p"], leave_bad=chain["r"], keep_in_bad=chain["h"], lose_in_good=chain["k1"]
        ),
        rate_bytes=max(rate["rate"], options.get_attr("TCA_NETEM_RATE64") or 0),
        limit_packets=options["limit"],
        seed=options.get_attr("TCA_NETEM_PRNG_SEED"),
        reorder=(options.get_attr("TCA_NETEM_REORDER") or {"probability": 0})["probability"],
        duplicate=options["duplicate"],
        corrupt=(options.get_attr("TCA_NETEM_CORRUPT") or {"probability": 0})["probability"],
        rest=tuple(_rest(read, options, foreign_loss=model is not None and chain is None)),
    )


def _rest(read: Any, options: Any, *, foreign_loss: bool) -> list[str]:
    """Name what is set and pqbed would not have set."""
    corr = options.get_attr("TCA_NETEM_CORR") or {}
    rate = options.get_attr("TCA_NETEM_RATE") or {}
    reorder = options.get_attr("TCA_NETEM_REORDER") or {}
    corrupt = options.get_attr("TCA_NETEM_CORRUPT") or {}
    slot = options.get_attr("TCA_NETEM_SLOT") or {}
    settings = {
        "handle": read["handle"] not in DISTRIBUTIONS,
        "gap": options["gap"] > 1,
        "correlation": any(corr.get(key, 0) for key in ("delay", "loss", "duplicate")),
        "reorder": reorder.get("correlation", 0),
        "corrupt": corrupt.get("correlation", 0),
        "overhead": any(rate.get(key, 0) for key in ("packet_overhead", "cell_size", "cell_overhead")),
        "ecn": options.get_attr("TCA_NETEM_ECN"),
        "slot": any(slot.get(key, 0) for key in ("min_delay", "max_delay", "dist_delay", "dist_jitter")),
        "loss model": foreign_loss,
    }
    return [name for name, present in settings.items() if present]
