"""Rows whose every byte follows from a key and a version: a dict of versions says all that a collection must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from drift_arrow.engine.scan import scan_batches
from drift_arrow.engine.snapshot import Snapshot

DIM = 2
SCHEMA = pa.schema(
    {"id": pa.int64(), "embedding": pa.list_(pa.float32(), DIM), "version": pa.int64(), "body": pa.string()}
)
KEY_SCHEMA = pa.schema({"id": pa.int64()})

Versions = dict[int, int]
"""What a collection holds: the version of each key."""


def make_rows(versions: Mapping[int, int]) -> pa.RecordBatch:
    """The rows of `versions`, by ascending key."""
    keys = sorted(versions)
    numbers = np.array([(key, versions[key]) for key in keys], dtype=np.int64).reshape(-1, 2)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers.astype(np.float32).ravel()), DIM)
    bodies = [None if key % 7 == 0 else f"row {key}, version {versions[key]}" for key in keys]
    columns = [pa.array(numbers[:, 0]), vectors, pa.array(numbers[:, 1]), pa.array(bodies, pa.string())]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def read_rows(batches: Iterable[pa.RecordBatch]) -> Versions:
    """The versions of the rows in `batches`; AssertionError if a key comes twice or a row is not what it was."""
    table = pa.Table.from_batches(batches, schema=SCHEMA).sort_by("id").combine_chunks()
    keys, numbers = table["id"].to_pylist(), table["version"].to_pylist()
    versions = dict(zip(keys, numbers, strict=True))
    assert len(versions) == len(keys), f"a key is there twice; keys={keys}"
    assert table.equals(pa.Table.from_batches([make_rows(versions)])), f"rows changed; versions={versions}"
    return versions


def snapshot_rows(snapshot: Snapshot) -> Versions:
    return read_rows(scan_batches(snapshot, SCHEMA.names, 1 << 16))
