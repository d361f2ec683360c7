"""What the publication of ALP reports about its thirty columns of float64.

Both lists are from github.com/cwida/ALP: bits per value of whole columns
(`publication/compression_ratio_result/double`), and what its encoder does with the first 1024 values of each, which are
public (`data/include/double/alp_dataset.hpp`).
"""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from drift_arrow.kernels.floats import encode_floats
from drift_arrow.kernels.lanes import TAIL_BYTES

_HEADER_BITS: Final = 88
_EXCEPTION_BITS: Final = 80
_VALUES: Final = 1024

# bits per value of the whole column; then exceptions and width of the first 1024 values by plain ALP
_COLUMNS: Final = {
    "arade4": (24.94, 8, 24),
    "basel_temp_f": (30.72, 47, 28),
    "basel_wind_f": (29.81, 9, 29),
    "bird_migration_f": (20.14, 2, 17),
    "bitcoin_f": (26.37, 10, 25),
    "bitcoin_transactions_f": (36.49, 11, 30),
    "city_temperature_f": (10.74, 0, 11),
    "cms1": (35.65, 10, 41),
    "cms25": (41.11, 6, 42),
    "cms9": (11.67, 2, 10),
    "food_prices": (23.65, 46, 20),
    "gov10": (30.99, 72, 27),
    "gov26": (0.41, 0, 0),
    "gov30": (7.48, 4, 0),
    "gov31": (3.05, 1, 0),
    "gov40": (0.83, 3, 0),
    "medicare1": (39.35, 37, 38),
    "medicare9": (12.26, 3, 10),
    "neon_air_pressure": (16.43, 3, 16),
    "neon_bio_temp_c": (10.75, 0, 10),
    "neon_dew_point_temp": (13.40, 6, 13),
    "neon_pm10_dust": (8.56, 0, 8),
    "neon_wind_dir": (15.89, 0, 16),
    "nyc29": (40.38, 5, 42),
    "poi_lat": (55.74, 157, 55),
    "poi_lon": (56.56, 199, 56),
    "ssd_hdd_benchmarks_f": (16.21, 0, 17),
    "stocks_de": (11.01, 5, 10),
    "stocks_uk": (12.59, 0, 9),
    "stocks_usa_c": (7.90, 0, 7),
}

WHOLE_COLUMNS: Final = {name: bits for name, (bits, _, _) in _COLUMNS.items()}
"""Bits per value of the whole columns, the last vectors of which are not public; those of poi_* by ALP_RD."""

SAMPLES: Final = {
    name: (_VALUES * width + _EXCEPTION_BITS * exceptions + _HEADER_BITS) / _VALUES
    for name, (_, exceptions, width) in _COLUMNS.items()
}
"""Bits per value of the first 1024 values by plain ALP."""


def counted_as_published(values: NDArray[Any]) -> float:
    """Bits per value of our encoding, counted as the publication does: 88 bits for the header of a vector, no file."""
    encoded = encode_floats(values)
    arrays = (encoded.positions, encoded.exceptions, encoded.lefts, encoded.packed)
    stored = sum(array.nbytes for array in arrays) - TAIL_BYTES
    vectors = len(encoded.headers)
    return (_HEADER_BITS * vectors + 8 * stored) / (_VALUES * vectors)
