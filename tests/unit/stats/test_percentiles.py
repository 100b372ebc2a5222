from pqbed.stats.percentiles import DEFAULT_PERCENTILES, percentile_name
from pqbed.store.table_schemas import QUANTILES


def test_the_percentiles_of_a_report_are_those_of_the_stored_summary() -> None:
    assert {percentile_name(percentile): percentile / 100 for percentile in DEFAULT_PERCENTILES} == QUANTILES
