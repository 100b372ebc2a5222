from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed import units
from pqbed.errors import SpecError

PARSERS = (units.parse_duration, units.parse_rate, units.parse_size, units.parse_percentage)
WHOLE = st.integers(min_value=0, max_value=units.LARGEST)


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("35ms", 35_000_000),
        ("17.5ms", 17_500_000),
        ("17.5 msec", 17_500_000),
        ("0.2s", 200_000_000),
        (".5s", 500_000_000),
        ("2secs", 2_000_000_000),
        ("250us", 250_000),
        ("1ns", 1),
        ("0ms", 0),
        ("35MS", 35_000_000),
        (" 35ms ", 35_000_000),
    ],
)
def test_durations(text: str, duration_ns: int) -> None:
    assert units.parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    ("text", "rate_bps"),
    [
        ("1mbit", 10**6),
        ("1Mbit", 10**6),
        ("1mibit", 2**20),
        ("2.5gbit", 2_500_000_000),
        ("1kbit", 1000),
        ("1tbit", 10**12),
        ("9600bit", 9600),
        ("1mbps", 8 * 10**6),
        ("1MiBps", 8 * 2**20),
        ("1bps", 8),
        ("none", None),
        ("Unlimited", None),
    ],
)
def test_rates(text: str, rate_bps: int | None) -> None:
    assert units.parse_rate(text) == rate_bps


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("200KiB", 204_800),
        ("200KB", 200_000),
        ("2MiB", 2**21),
        ("1.5kib", 1536),
        ("0B", 0),
        ("1b", 1),
        ("1GiB", 2**30),
    ],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "share_ppm"), [("1%", 10_000), ("0.05%", 500), ("0.0001%", 1), ("20ppm", 20), ("100%", 1_000_000)]
)
def test_percentages(text: str, share_ppm: int) -> None:
    assert units.parse_percentage(text) == share_ppm


def test_a_bare_number_has_the_unit_that_is_asked_for() -> None:
    assert units.parse_duration("35", bare="ms") == 35_000_000
    assert units.parse_duration("2", bare="s") == 2_000_000_000
    assert units.parse_rate("1.5", bare="mbit") == 1_500_000
    assert units.parse_size("50", bare="KiB") == 51_200
    assert units.parse_percentage("0.5", bare="%") == 5_000


def test_a_unit_goes_before_the_bare_one() -> None:
    assert units.parse_duration("35us", bare="ms") == 35_000


@pytest.mark.parametrize("parse", PARSERS)
def test_a_bare_number_is_refused_where_a_unit_is_needed(parse: Callable[[str], int | None]) -> None:
    with pytest.raises(SpecError, match="'35' has no unit") as caught:
        parse("35")
    assert "for example 35" in caught.value.hint


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "nan",
        "inf",
        "NaN%",
        "-1",
        "-5ms",
        "+5ms",
        "1e3ms",
        "1_000ms",
        "0x10",
        "1,5",
        "5.",
        "ms",
        "%",
        "5 5",
        "5;",
        "٣",
        "1" * 70,
    ],
)
def test_nonsense_is_refused_with_a_cure(parse: Callable[..., int | None], text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("parse", "text", "message", "hint"),
    [
        (units.parse_duration, "35 parsec", "there is no unit 'parsec'", "use one of s, ms, us, ns"),
        (units.parse_duration, "35mbit", "is not a duration", "use one of"),
        (units.parse_duration, "-5ms", "'-5ms' is negative", "0 or more"),
        (units.parse_duration, "0.5ns", "not a whole number of nanoseconds", "the nearest is"),
        (units.parse_duration, "1.0000005ms", "not a whole number of nanoseconds", "the nearest is 1ms"),
        (units.parse_rate, "0.5bit", "not a whole number of bits a second", "the nearest is"),
        (units.parse_size, "0.3KiB", "not a whole number of bytes", "the nearest is 307B"),
        (units.parse_percentage, "0.00005%", "not a whole number of parts per million", "the nearest is"),
        (units.parse_size, "9223372036854775808B", "is too large", "at most 9223372036854775807B"),
        (units.parse_duration, "9" * 60 + "s", "is too large", "at most"),
        (units.parse_size, "none", "'none' is not a size", "write for example 200KiB"),
        (units.parse_duration, "", "a duration is missing", "write for example 35ms"),
    ],
)
def test_refusals_say_what_and_how(parse: Callable[[str], int | None], text: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_largest_value_is_accepted() -> None:
    assert units.parse_size("9223372036854775807B") == units.LARGEST


@given(WHOLE)
def test_durations_round_trip(value: int) -> None:
    assert units.parse_duration(units.format_duration(value)) == value


@given(st.none() | WHOLE)
def test_rates_round_trip(value: int | None) -> None:
    assert units.parse_rate(units.format_rate(value)) == value


@given(WHOLE)
def test_sizes_round_trip(value: int) -> None:
    assert units.parse_size(units.format_size(value)) == value


@given(WHOLE)
def test_percentages_round_trip(value: int) -> None:
    assert units.parse_percentage(units.format_percentage(value)) == value


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=6))
def test_decimals_are_exact(number: Decimal) -> None:
    assert units.parse_duration(f"{number:f}ms") == number * 10**6


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in PARSERS:
        try:
            value = parse(text, bare=None)
        except SpecError:
            continue
        assert value is None or 0 <= value <= units.LARGEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.format_duration(0), "0s"),
        (units.format_duration(35_000_000), "35ms"),
        (units.format_duration(17_500_000), "17.5ms"),
        (units.format_duration(200_000_000), "200ms"),
        (units.format_duration(1_500_000_000), "1.5s"),
        (units.format_duration(1), "1ns"),
        (units.format_rate(None), "unlimited"),
        (units.format_rate(10**6), "1mbit"),
        (units.format_rate(2**20), "1mibit"),
        (units.format_rate(1500), "1500bit"),
        (units.format_rate(2_500_000_000), "2.5gbit"),
        (units.format_size(204_800), "200KiB"),
        (units.format_size(200_000), "200KB"),
        (units.format_size(0), "0B"),
        (units.format_size(1500), "1500B"),
        (units.format_percentage(0), "0%"),
        (units.format_percentage(1), "0.0001%"),
        (units.format_percentage(10_000), "1%"),
        (units.format_percentage(1_000_000), "100%"),
    ],
)
def test_texts_are_short(text: str, expected: str) -> None:
    assert text == expected


def test_a_negative_value_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        units.format_duration(-1)
