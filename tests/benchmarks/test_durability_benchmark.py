import pytest

import durability
from tests.s3 import can_serve


@pytest.mark.parametrize(
    ("measure", "size"),
    [
        (durability.single_adds, 3),
        (durability.threaded_adds, 0.05),
        (durability.bulk_adds, 500),
        (durability.replay, 100_000),
        (durability.opening, 2000),
        pytest.param(
            durability.over_s3,
            1000,
            marks=pytest.mark.skipif(not can_serve(), reason="needs s3fs and moto[server], both in the extra [test]"),
        ),
    ],
)
def test_every_part_measures_something(measure, size, tmp_path):
    bars = list(measure(tmp_path, size))
    assert bars
    assert all(bar.value >= 0 for bar in bars)
