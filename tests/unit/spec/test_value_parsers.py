from collections.abc import Callable

import pytest

from pqbed.errors import SpecError
from pqbed.spec import value_parsers
from pqbed.spec.axes import AXES
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.link import GilbertElliott, Loss, RandomLoss
from support.units import MS


def test_bare_numbers_mean_what_people_in_the_field_mean() -> None:
    assert AXES["rtt"].parse_values("35,200") == (35 * MS, 200 * MS)
    assert AXES["jitter"].parse_values("0,2.5") == (0, 2_500_000)
    assert AXES["bandwidth"].parse_values("1,1000,none") == (10**6, 10**9, None)
    assert AXES["size"].parse_values("0,50,200") == (0, 51_200, 204_800)
    assert AXES["loss"].parse_values("0,1,0.5") == (RandomLoss(), _random(10_000), _random(5_000))
    assert value_parsers.parse_timeout("300") == 300_000 * MS


def test_units_are_accepted() -> None:
    assert AXES["rtt"].parse_values("35ms, 0.2s", bare=False) == (35 * MS, 200 * MS)
    assert AXES["bandwidth"].parse_values("1mbit,1gbit,unlimited", bare=False) == (10**6, 10**9, None)
    assert AXES["size"].parse_values("2MiB", bare=False) == (2**21,)
    assert AXES["loss"].parse_values("3%", bare=False) == (_random(30_000),)


def test_names_and_counts() -> None:
    assert AXES["distribution"].parse_values("uniform,normal,pareto,paretonormal") == (
        "uniform",
        "normal",
        "pareto",
        "paretonormal",
    )
    assert AXES["segmentation"].parse_values("wire,offload-off,host") == ("wire", "offload-off", "host")
    assert AXES["queue"].parse_values("100,1000") == (100, 1000)
    assert AXES["initcwnd"].parse_values("10,20") == (10, 20)
    assert value_parsers.parse_count("samples", " 7 ", 1, 10) == 7


def test_profiles_keep_their_order() -> None:
    names = [profile.name for profile in value_parsers.parse_profiles("pq,classical", builtin_profiles())]
    assert names == ["pq", "classical"]


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("ge:1/10", GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=100_000)),
        ("GE:1%/10%", GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=100_000)),
        ("ge:1/10/50", GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=100_000, loss_in_bad_ppm=500_000)),
        (
            "ge:1/10/50/0.1",
            GilbertElliott(
                enter_bad_ppm=10_000, leave_bad_ppm=100_000, loss_in_bad_ppm=500_000, loss_in_good_ppm=1_000
            ),
        ),
        (
            "ge:1/10/100/2",
            GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=100_000, loss_in_good_ppm=20_000),
        ),
    ],
)
def test_burst_loss(text: str, loss: Loss) -> None:
    assert AXES["loss"].parse_values(text) == (loss,)
    assert AXES["loss"].parse_values(value_parsers.format_loss(loss), bare=False) == (loss,)


def test_losses_are_written_shortly() -> None:
    assert value_parsers.format_loss(_random(5_000)) == "0.5%"
    assert value_parsers.format_loss(GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=100_000)) == "ge:1%/10%"


@pytest.mark.parametrize(
    ("read", "text", "message", "hint"),
    [
        (AXES["rtt"].parse_values, "35,x", "--rtt: 'x' is not a duration", "35ms"),
        (AXES["rtt"].parse_values, "61s", "--rtt: '61s' is out of range", "from 0s to 60s"),
        (AXES["rtt"].parse_values, "35,35ms", "--rtt: '35ms' repeats a value", "once"),
        (AXES["rtt"].parse_values, "", "--rtt: there is no value", "give one"),
        (AXES["rtt"].parse_values, "35,,200", "--rtt: '35,,200' has an empty place", "comma"),
        (AXES["rtt"].parse_values, "35,", "has an empty place", "comma"),
        (AXES["rtt"].parse_values, "-1", "--rtt: '-1' is negative", "0 or more"),
        (AXES["loss"].parse_values, "101", "--loss: '101' is out of range", "from 0% to 100%"),
        (AXES["loss"].parse_values, "1,1%", "--loss: '1%' repeats", "once"),
        (AXES["loss"].parse_values, "ge:1", "--loss: 'ge:1' is not a burst loss", "ge:P/R"),
        (AXES["loss"].parse_values, "ge:1/2/3/4/5", "is not a burst loss", "ge:P/R"),
        (AXES["loss"].parse_values, "ge:0/10", "never changes its state", "above 0"),
        (AXES["loss"].parse_values, "ge:1/0", "never changes its state", "above 0"),
        (AXES["loss"].parse_values, "ge:1/200", "'200' is out of range", "100%"),
        (AXES["bandwidth"].parse_values, "0", "--bandwidth: '0' would let nothing through", "write none"),
        (AXES["bandwidth"].parse_values, "999bit", "--bandwidth: '999bit' is out of range", "from 1kbit to 100gbit"),
        (AXES["bandwidth"].parse_values, "none,unlimited", "'unlimited' repeats", "once"),
        (AXES["jitter"].parse_values, "99s", "--jitter: '99s' is out of range", "60s"),
        (AXES["size"].parse_values, "2GiB", "--size: '2GiB' is out of range", "1GiB"),
        (AXES["distribution"].parse_values, "nromal", "there is no distribution 'nromal'", "did you mean 'normal'?"),
        (AXES["segmentation"].parse_values, "Wire", "there is no segmentation 'Wire'", "did you mean 'wire'?"),
        (AXES["queue"].parse_values, "0", "--queue: '0' is out of range", "from 1 to"),
        (AXES["queue"].parse_values, "1.5", "--queue: '1.5' is not a whole number", "from 1 to"),
        (AXES["initcwnd"].parse_values, "٣", "--initcwnd: '٣' is not a whole number", "from 1 to"),
        (AXES["initcwnd"].parse_values, "9" * 5000, "is not a whole number", "from 1 to"),
        (value_parsers.parse_timeout, "0", "--timeout: '0' is out of range", "from 1ms"),
    ],
)
def test_refusals_name_option_value_and_cure(read: Callable[[str], object], text: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_units_are_needed_where_bare_is_refused() -> None:
    for option in ("rtt", "loss", "bandwidth", "size", "jitter"):
        with pytest.raises(SpecError, match="'35' has no unit"):
            AXES[option].parse_values("35", bare=False)
    with pytest.raises(SpecError, match="'1' has no unit"):
        AXES["loss"].parse_values("ge:1/10%", bare=False)


def test_an_unknown_profile_suggests_the_nearest() -> None:
    with pytest.raises(SpecError, match="no profile 'hybird'") as caught:
        value_parsers.parse_profiles("classical,hybird", builtin_profiles())
    assert "did you mean 'hybrid'?" in caught.value.hint


def _random(probability_ppm: int) -> RandomLoss:
    return RandomLoss(probability_ppm=probability_ppm)
