"""How much is measured: a fixed number of samples, or as many as a precision takes, up to a maximum."""

from collections.abc import Iterable
from dataclasses import dataclass

from pqbed.errors import SpecError
from pqbed.spec import value_parsers
from pqbed.units import format_percentage, parse_percentage

MOST_SAMPLES = 1_000_000
# What a precision may cost where no maximum is named: as many samples as the published study took of a point.
DEFAULT_MAX_SAMPLES = 1000
# In per cent of the baseline, so above 100 it would say nothing; below a ten-thousandth the clocks are coarser.
FINEST_PPM, COARSEST_PPM = 100, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountText:
    """What one layer of a request says, each None where it says nothing. `bare`: 1 is one per cent."""

    samples: str | None
    precision: str | None
    max_samples: str | None
    bare: bool


def read_amount(layers: Iterable[AmountText], default_samples: int) -> tuple[int, int | None]:
    """Return the samples of a cell and the precision in ppm; with a precision the samples are the most.

    A number of samples in a later layer takes the place of a precision in an earlier one, and the other way round.
    """
    samples: int | None = None
    precision_ppm: int | None = None
    most: AmountText | None = None
    for layer in layers:
        if layer.samples is not None and layer.precision is not None:
            samples_name, precision_name, limit_name = (
                value_parsers.spelled(option, layer.bare) for option in ("samples", "precision", "max_samples")
            )
            raise SpecError(
                f"{samples_name} and {precision_name} exclude each other",
                f"drop one of them; {limit_name} limits what a precision may take",
            )
        if layer.samples is not None:
            samples = value_parsers.parse_count("samples", layer.samples, 1, MOST_SAMPLES, bare=layer.bare)
            precision_ppm = None
        if layer.precision is not None:
            precision_ppm = _precision(layer.precision, layer.bare)
        most = layer if layer.max_samples is not None else most
        if layer.max_samples is not None and precision_ppm is None:
            limit_name, precision_name = (
                value_parsers.spelled(option, layer.bare) for option in ("max_samples", "precision")
            )
            raise SpecError(f"{limit_name} needs {precision_name}", "give a precision, or a number of samples instead")
    if precision_ppm is None:
        return samples or default_samples, None
    if most is None or most.max_samples is None:
        return DEFAULT_MAX_SAMPLES, precision_ppm
    return value_parsers.parse_count("max_samples", most.max_samples, 1, MOST_SAMPLES, bare=most.bare), precision_ppm


def _precision(text: str, bare: bool) -> int:
    try:
        precision_ppm = parse_percentage(text, bare="%" if bare else None)
    except SpecError as error:
        raise SpecError(f"{value_parsers.spelled('precision', bare)}: {error.message}", error.hint) from error
    if not FINEST_PPM <= precision_ppm <= COARSEST_PPM:
        raise SpecError(
            f"{value_parsers.spelled('precision', bare)}: {text!r} is out of range",
            f"give a value from {format_percentage(FINEST_PPM)} to {format_percentage(COARSEST_PPM)}",
        )
    return precision_ppm
