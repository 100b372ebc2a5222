"""Mixtures as a sweep file has them: tables [mixtures.NAME], shares by the texts of values, by axis."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from pqbed.errors import SpecError
from pqbed.spec.axes import AXES
from pqbed.spec.mixture import PPM, PROFILE, Mixture, Share, Weighted
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.sweep import Sweep
from pqbed.spec.value_parsers import naming
from pqbed.units import format_percentage, format_size, parse_percentage, parse_size

BYTES = "bytes"
_BYTES_KEYS = ("median", "mean")
# What shares written with a few digits may lack of one.
_ROUNDING_PPM = 100
# Ends of the strata that a distribution of sizes is cut into: narrower where the bytes are.
STRATA = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0)
_HINT = "give a share per value, as connection = { full = 0.2, resumed = 0.8 }"


def resumed_mixture(share_ppm: int) -> Mixture:
    """Return full and resumed connections, `share_ppm` of them resumed."""
    kinds = {"full": PPM - share_ppm, "resumed": share_ppm}
    return Mixture(
        name=f"resumed-{format_percentage(share_ppm).removesuffix('%')}",
        weights=(Weighted(option="connection", shares=_shares("connection", kinds)),),
    )


def parse_share(text: str) -> int:
    """Read `0.8` or `80%` as ppm. Raises SpecError unless between none and all."""
    try:
        share = parse_percentage(text) if text.strip().endswith(("%", "ppm")) else round(float(text) * PPM)
    except (ValueError, OverflowError):
        raise SpecError(f"{text[:80]!r} is not a share", "write 0.8 or 80%") from None
    if not 0 <= share <= PPM:
        raise SpecError(f"{text[:80]!r} is not a share", "give one from 0 to 1, or from 0% to 100%")
    return share


def mixture_from(name: str, table: Mapping[str, Mapping[str, str]]) -> Mixture:
    """Read the table of mixture `name`. Raises SpecError."""
    with naming(f"mixtures.{name}"):
        if not table:
            raise SpecError("nothing is mixed", _HINT)
        if BYTES in table and "size" in table:
            raise SpecError("size and bytes both weight the sizes", "give one of them")
        return Mixture(name=name, weights=tuple(_weighted(option, shares) for option, shares in table.items()))


def mixture_table(mixture: Mixture) -> dict[str, dict[str, str]]:
    """Return the table that `mixture_from` reads back."""
    return {
        weighted.option: {share.text: format_percentage(share.share_ppm) for share in weighted.shares}
        for weighted in mixture.weights
    }


def mixed_axes(mixtures: Sequence[Mixture]) -> dict[str, list[str]]:
    """Return the values of the axes that the mixtures are made of, as a layer of a sweep file."""
    axes: dict[str, dict[str, None]] = {}
    for weighted in (weighted for mixture in mixtures for weighted in mixture.weights):
        if weighted.option != PROFILE:
            axes.setdefault(weighted.option, {}).update(dict.fromkeys(share.text for share in weighted.shares))
    return {option: list(texts) for option, texts in axes.items()}


def check_mixtures(sweep: Sweep) -> None:
    """Raise SpecError if `sweep` does not measure every part of its mixtures."""
    for mixture in sweep.mixtures:
        for weighted in mixture.weights:
            measured = _measured(sweep, weighted.option)
            for share in weighted.shares:
                if share.value not in measured:
                    flag = f"--{weighted.option.replace('_', '-')}"
                    raise SpecError(
                        f"mixture {mixture.name} has {share.text}, which the sweep does not measure",
                        f"add it to {flag}, or leave {flag} out",
                    )


def _measured(sweep: Sweep, option: str) -> Sequence[Any]:
    return [profile.name for profile in sweep.profiles] if option == PROFILE else AXES[option].values(sweep)


def _weighted(option: str, table: Mapping[str, str]) -> Weighted:
    if option == BYTES:
        return _sizes(table)
    known_name(option, (*AXES, PROFILE, BYTES), "axis")
    shares = _shares(option, {text: parse_share(share) for text, share in table.items()})
    total = sum(share.share_ppm for share in shares)
    if abs(total - PPM) > _ROUNDING_PPM:
        raise SpecError(f"the shares of {option} add up to {format_percentage(total)}", "make them add up to 100%")
    return Weighted(option=option, shares=shares)


def _shares(option: str, table: Mapping[str, int]) -> tuple[Share, ...]:
    """Return the shares that are not zero. Raises SpecError if a value is there twice."""
    axis = AXES.get(option)
    values = {text: text if axis is None else axis.parse(text, False) for text, share in table.items() if share}
    if len(set(values.values())) < len(values):
        raise SpecError(f"{option} names a value twice", _HINT)
    return tuple(
        Share(value=value, text=text if axis is None else axis.format(value), share_ppm=table[text])
        for text, value in values.items()
    )


def _sizes(table: Mapping[str, str]) -> Weighted:
    """Cut a log-normal distribution with this median and mean into STRATA, each with its own mean as size."""
    if set(table) != set(_BYTES_KEYS):
        raise SpecError("bytes lacks its median or its mean", 'write bytes = { median = "7.8KB", mean = "395KB" }')
    median, mean = (parse_size(table[key]) for key in _BYTES_KEYS)
    if not 0 < median < mean:
        raise SpecError("bytes: the mean is not above the median", "sizes of responses are skewed: check both numbers")
    strata = {format_size(size): share for size, share in log_normal_strata(median, mean)}
    return Weighted(option="size", shares=_shares("size", strata))


def log_normal_strata(median: int, mean: int) -> Iterator[tuple[int, int]]:
    """Yield the size in bytes and the share in ppm of each stratum: the shares' mean is that of the distribution."""
    sigma = math.sqrt(2 * math.log(mean / median))
    normal = NormalDist()

    def below(share: float) -> float:
        """Return which part of all bytes is in the responses below this quantile."""
        return share if share in {0.0, 1.0} else normal.cdf(normal.inv_cdf(share) - sigma)

    for low, high in itertools.pairwise(STRATA):
        yield round(mean * (below(high) - below(low)) / (high - low)), round((high - low) * PPM)
