"""Cut the demo sample of `drift_arrow/cli/sample/` out of a larger set of SIFT descriptors.

Run as `python benchmarks/make_sample.py sift10k.npz drift_arrow/cli/sample`. The archive holds `base` (n, 128) uint8,
`query` (m, 128) uint8, `ts` (n,) int64 seconds since 1970 and `image` (n,) int16, rows in time order.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 6_000
QUERIES = 200


def vector_column(matrix: np.ndarray) -> pa.FixedSizeListArray:
    """Descriptors as float32 lists: their 256 distinct values make a dictionary page as small as uint8 would be."""
    values = pa.array(matrix.astype(np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(values, matrix.shape[1])


def evenly_spaced(total: int, wanted: int) -> np.ndarray:
    """Row numbers, ascending and distinct, that span the whole time of the set."""
    return np.linspace(0, total - 1, wanted).round().astype(np.int64)


def base_table(archive: np.lib.npyio.NpzFile) -> pa.Table:
    """The rows of the sample; `id` is the row number in the archive."""
    rows = evenly_spaced(len(archive["base"]), ROWS)
    return pa.table(
        {
            "id": pa.array(rows),
            "ts": pa.array(archive["ts"][rows], pa.timestamp("s", tz="UTC")),
            "image": pa.array(archive["image"][rows]),
            "vector": vector_column(archive["base"][rows]),
        }
    )


def query_table(archive: np.lib.npyio.NpzFile) -> pa.Table:
    """The queries of the sample, none of which is one of its rows."""
    rows = evenly_spaced(len(archive["query"]), QUERIES)
    return pa.table({"vector": vector_column(archive["query"][rows])})


def main() -> None:
    """Write `sift.parquet` and `sift_queries.parquet` into the given folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with np.load(arguments.archive, allow_pickle=False) as archive:
        tables = {"sift.parquet": base_table(archive), "sift_queries.parquet": query_table(archive)}
    for name, table in tables.items():
        pq.write_table(table, arguments.folder / name, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
