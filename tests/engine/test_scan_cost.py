from __future__ import annotations

import pytest

from drift_arrow.engine.scan_cost import gathers


@pytest.mark.parametrize(("dim", "few", "many"), [(128, 200, 1_500), (784, 40, 600)])
def test_few_rows_are_gathered_and_many_are_probed_for(dim, few, many):
    assert gathers(few, 100_000, dim, 316, 0.15)
    assert not gathers(many, 100_000, dim, 316, 0.15)


def test_more_rows_are_gathered_the_more_buckets_would_be_probed():
    assert [gathers(800, 100_000, 128, 316, scanned) for scanned in (0.01, 0.3, 1.0)] == [False, True, True]


def test_no_more_rows_are_gathered_than_probing_would_scan():
    assert gathers(140, 3_000, 8, 55, 0.05)
    assert not gathers(160, 3_000, 8, 55, 0.05)
    assert not gathers(3_000, 3_000, 8, 55, 1.0)
