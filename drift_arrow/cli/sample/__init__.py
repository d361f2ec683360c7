"""The real vectors that the demo runs on; README.md beside this file states their origin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SAMPLE_PATH: Final = Path(__file__).with_name("sift.parquet")
QUERIES_PATH: Final = Path(__file__).with_name("sift_queries.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows to add and queries to ask.

    Parameters
    ----------
    table : pa.Table
        6,000 rows of `id` int64, `ts` timestamp, `image` int16, `vector` fixed_size_list<float32>[128], in time order.
    queries : np.ndarray
        (200, 128) float32, C-contiguous, integers from 0 to 255.
    """

    table: pa.Table
    queries: np.ndarray


def load_sample() -> Sample:
    """Read both files of the sample, about 4 MB in memory."""
    # Imported here so that `drift-cli --help` need not wait for Arrow.
    import numpy as np
    import pyarrow.parquet as pq

    vectors = pq.read_table(QUERIES_PATH).column("vector").combine_chunks()
    queries = np.ascontiguousarray(vectors.flatten().to_numpy()).reshape(len(vectors), -1)
    return Sample(table=pq.read_table(SAMPLE_PATH), queries=queries)
