"""The answer of a study's page: three sentences with numbers, as that of any run."""

from pqbed.reproduce.judge_claims import evaluate_claims
from pqbed.reproduce.verdict_text import describe_result
from support.studies import claim, published, results, study


def answer_of(**options: bool) -> tuple[str, str, str]:
    of = study(claim("ttlb", low=500, high=550), claim("ttlb", low=1, high=2), claim("none"))
    found = results(of, **options)
    return describe_result(found, evaluate_claims(found, published()))


def test_it_says_what_it_costs_how_that_changes_and_how_much_of_it_was_published() -> None:
    cost, trend, standings = answer_of()
    # Network and CPU together: 110 + 3 ms instead of 100 + 2 for the handshake, 510 + 6 instead of 500 + 4.
    assert cost.startswith(
        "At the median, over 4 combinations of link and size: compared with old, a fetch with small took 2.2% to "
        "10.8% longer"
    )
    assert "; one with large took 4.4% to 21.6% longer" in cost
    assert "95% interval +" in cost
    assert trend == (
        "The increase shrinks as the response grows: small takes 10.2% to 10.8% longer at 0B and 2.2% to 2.4% longer "
        "at 50KiB; large takes 20.4% to 21.6% longer at 0B and 4.4% to 4.8% longer at 50KiB."
    )
    assert standings == (
        "Of 2 published numbers that were measured again, 1 is inside the band that was set before the run and 1 is "
        "outside; 1 was not measured. All 480 fetches succeeded."
    )


def test_without_a_cpu_term_it_is_that_of_the_network() -> None:
    assert "small takes 10.0% longer at 0B" in answer_of(cpu=False)[1]
