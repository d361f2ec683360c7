"""One of several processes that take a collection from each other on a lossy network; says what is acknowledged."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec

import drift_arrow as drift
from drift_arrow.engine.storage.file_cache import FileCache
from drift_arrow.errors import DriftError, FencedError, LockedError, StorageError
from tests.storage.network import Network, storage_behind
from tests.tables import make_table


def main(uri: str, options: str, cache: str, number: str, n_rows: str) -> None:
    files = fsspec.filesystem("s3", use_listings_cache=False, **json.loads(options))
    network = Network(files, loss=0.05, delay_s=0.002, seed=int(number))
    db = drift.Database(storage_behind(network, uri, FileCache(Path(cache), 1 << 30)))
    keys = iter(range(int(number) * 10**6, int(number) * 10**6 + int(n_rows)))
    while True:
        with contextlib.suppress(LockedError, StorageError):
            write(db.collection("docs"), keys)
            return


def write(docs: drift.Collection, keys: Iterator[int]) -> None:
    """Add rows until there are no more; FencedError once another process took over."""
    try:
        for key in keys:
            docs.add(make_table(1, start=key))
            sys.stdout.write(f"{key}\n")
            if key % 7 == 0:
                docs.flush()
        docs.close()
    except FencedError:
        with contextlib.suppress(DriftError):
            docs.close()
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
