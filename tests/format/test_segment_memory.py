"""A writer holds one extent and little per row, however many rows a segment has."""

import tracemalloc

import numpy as np
import pyarrow as pa

from drift_arrow.format.layout import EXTENT_ROWS
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.segment_writer import SegmentWriter

DIM, BUCKETS = 16, 8
SCHEMA = pa.schema([("id", pa.int64()), ("number", pa.float64()), ("embedding", pa.list_(pa.float32(), DIM))])


def extent(number, n_rows):
    """One of many, which all have the same size; rows are made when they are needed."""
    random = np.random.default_rng(number)
    ids = np.arange(number * n_rows, (number + 1) * n_rows)
    vectors = random.normal(size=(n_rows, DIM)).astype(np.float32)
    fingerprints = np.stack([ids.astype(np.uint64), np.zeros(n_rows, np.uint64)], axis=1)
    return SegmentExtent(
        table=pa.table({"id": ids, "number": random.normal(size=n_rows)}),
        vectors=vectors,
        offsets=np.linspace(0, n_rows, BUCKETS + 1).astype(np.int64),
        centroids=vectors[:BUCKETS],
        codes=np.zeros((n_rows, DIM), np.uint8),
        lo=vectors[:BUCKETS],
        step=vectors[:BUCKETS],
        norms=vectors[:, 0].copy(),
        fingerprints=fingerprints,
    )


def peak_bytes(n_extents, n_rows):
    """Most memory that Python and NumPy hold while a segment is written, before the keys are sorted and after."""
    writer = SegmentWriter(
        len, SegmentSpec(schema=SCHEMA, vector="embedding", key="id", metric="l2", seqno_range=(1, 1))
    )
    tracemalloc.start()
    try:
        for number in range(n_extents):
            writer.append(extent(number, n_rows))
        appended = tracemalloc.get_traced_memory()[1]
        writer.finish()
        return appended, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_by_little_per_row_and_not_by_the_rows_themselves():
    n_rows, few, many = 8192, 4, 24
    # compiled code is loaded
    peak_bytes(few, n_rows)
    small, large = peak_bytes(few, n_rows), peak_bytes(many, n_rows)
    rows_between = (many - few) * n_rows
    raw_bytes_per_row = DIM * 4 + DIM + 16
    # norm and fingerprint
    assert (large[0] - small[0]) / rows_between < 24 < raw_bytes_per_row / 3
    # and the order of the keys, which is found with numbers of 64 bits
    assert (large[1] - small[1]) / rows_between < 40
    assert n_rows < EXTENT_ROWS
