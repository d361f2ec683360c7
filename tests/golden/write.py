"""Writes the golden files of a format version, once: ``python -m tests.golden.write tests/golden/v1``.

What is written is never changed afterwards. A new version gets a directory, and rows, of its own.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

import drift_arrow as drift
from tests.golden.rows import DELETED, KEY, N_FLUSHED, VECTOR, golden_table

PROFILES = ("hot", "cold")


def write_golden(target: Path) -> None:
    """Collections of both profiles as a crash would leave them, their rows, and the digests of all files."""
    target.mkdir(parents=True)
    table = golden_table()
    with tempfile.TemporaryDirectory() as scratch, drift.connect(scratch) as database:
        for profile in PROFILES:
            settings = drift.Options(profile=profile)
            with database.create_collection(
                profile, schema=table.schema, vector=VECTOR, key=KEY, metric="l2", options=settings
            ) as docs:
                docs.add(table.slice(0, N_FLUSHED))
                docs.flush()
                docs.delete(keys=DELETED[:2])
                docs.add(table.slice(N_FLUSHED // 2, 10).set_column(0, KEY, pa.array(range(-10, 0))))
                docs.flush()
                docs.add(table.slice(N_FLUSHED))
                docs.delete(keys=DELETED[2:])
                # open as it is: the last operations stand in the log alone
                shutil.copytree(Path(scratch) / profile, target / profile, ignore=shutil.ignore_patterns("LOCK"))
                rows = ranked_rows(docs)
    with pa.ipc.new_file(
        target / "rows.arrow", rows.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
    ) as sink:
        sink.write_table(rows)
    lines = [f"{digest(path)}  {path.relative_to(target)}\n" for path in sorted(target.rglob("*")) if path.is_file()]
    (target / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def ranked_rows(docs: drift.Collection) -> pa.Table:
    """All rows and columns of a golden collection, by their distance from a vector of ones."""
    query = np.ones(docs.dim, dtype=np.float32)
    return docs.search(query).exact().select(docs.schema.names).limit(len(docs)).to_arrow()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    write_golden(Path(sys.argv[1]))
