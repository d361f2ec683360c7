from __future__ import annotations

import pytest

from drift_arrow.engine.scan_cost import Way, cheapest_way


@pytest.mark.parametrize(("dim", "few", "many"), [(128, 20, 1_500), (784, 20, 600)])
def test_few_rows_are_all_scanned_and_many_are_probed_for(dim, few, many):
    assert cheapest_way(few, dim, 316, 0.15) is Way.SCAN
    assert cheapest_way(many, dim, 316, 0.15) is Way.PROBE


def test_more_rows_are_all_scanned_the_more_buckets_would_be_probed():
    ways = [cheapest_way(800, 128, 316, scanned) for scanned in (0.01, 0.5, 1.0)]
    assert ways == [Way.PROBE, Way.SCAN, Way.SCAN]


def test_where_even_ranking_takes_long_few_rows_are_read_instead():
    assert cheapest_way(10, 128, 16_000, 0.001) is Way.GATHER
    assert cheapest_way(10_000, 128, 16_000, 0.001) is Way.PROBE


def test_a_search_that_would_scan_all_buckets_anyway_misses_nothing():
    assert cheapest_way(3_000, 8, 55, 1.0) is not Way.PROBE
