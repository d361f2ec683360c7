"""The story of the demo, from an empty directory to the commands to try next."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Final

import drift_arrow
from drift_arrow.cli.demo.checks import Checks
from drift_arrow.cli.demo.filling import fill
from drift_arrow.cli.demo.measuring import K, batch_rate, matrix_of, recall, single_rate, true_distances
from drift_arrow.cli.demo.surfaces import answers, clear_query
from drift_arrow.cli.output import print_pairs, print_rows
from drift_arrow.cli.sample import Sample, load_sample
from drift_arrow.options import DEFAULT_TARGET_RECALL

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from drift_arrow import Collection

IMAGES: Final = "SELECT image, count(*) FROM drift_scan('{}') GROUP BY ALL ORDER BY ALL LIMIT 5"
NAME: Final = "sift"
RECALL_PROMISED: Final = DEFAULT_TARGET_RECALL


def run_demo(root: str, console: Console) -> list[str]:
    """Make, fill, search, reopen and measure a collection at ROOT/sift.

    Returns
    -------
    list of str
        Claims that did not hold; empty when all is well.

    Raises
    ------
    AlreadyExistsError
        ROOT has such a collection.
    StorageError
        Writing failed.
    """
    sample = load_sample()
    checks = Checks(console)
    vectors = matrix_of(sample.table, "vector")
    console.print(f"{len(vectors):,} real vectors (SIFT, {vectors.shape[1]} dimensions) into {root}/{NAME}\n")
    _write(root, sample, checks)
    started = time.perf_counter()
    with drift_arrow.connect(root) as database, database.collection(NAME) as collection:
        opened_s = time.perf_counter() - started
        stats = collection.stats()
        checks.expect(
            f"flushed, closed, and reopened in {opened_s:.2f} s: every row is there, in segments",
            holds=(stats.rows, stats.memtable_rows) == (len(vectors), 0),
        )
        truth = true_distances(vectors, sample.queries)
        _measure(collection, sample, truth, checks)
        _compare_surfaces(collection, sample, truth, checks)
    return checks.failed


def print_next(root: str, console: Console, *, is_kept: bool) -> None:
    """Commands that go on from here."""
    place = shlex.quote(f"{root}/{NAME}")
    console.print("\nTry next:")
    if not is_kept:
        console.print(f"  drift-cli demo --keep {shlex.quote(root)}", soft_wrap=True)
    for command in (
        f"drift-cli search {place} --like 17 --k 5 --where 'image > 100'",
        f'drift-cli sql "{IMAGES.format(f"{root}/{NAME}")}"',
        f"drift-cli stats {place}",
        f"drift-cli verify {place}",
        f"drift-cli serve {shlex.quote(root)}",
    ):
        console.print(f"  {command}", soft_wrap=True)


def _write(root: str, sample: Sample, checks: Checks) -> None:
    with (
        drift_arrow.connect(root) as database,
        database.create_collection(NAME, schema=sample.table.schema, vector="vector", key="id") as collection,
    ):
        filling = fill(collection, sample.table, checks.console)
        n_rows, stats = sample.table.num_rows, collection.stats()
        rate = filling.n_timed_rows / filling.add_s
        checks.expect(
            f"{n_rows:,} rows in {filling.n_batches} durable batches, {rate:,.0f} rows/s", holds=stats.rows == n_rows
        )
        checks.expect(
            f"{filling.n_found} of {filling.n_batches} searches in between found the newest row, all in the memtable",
            holds=filling.n_found == filling.n_batches and stats.memtable_rows == n_rows,
        )
        with checks.console.status("flushing"):
            collection.flush()


def _measure(collection: Collection, sample: Sample, truth: np.ndarray, checks: Checks) -> None:
    keys = sample.table.column("id").to_numpy()
    search = collection.search(sample.queries).limit(K)
    stats = collection.stats()
    with checks.console.status("measuring; the first run compiles kernels"):
        default, exact = recall(search.to_arrow(), keys, truth), recall(search.exact().to_arrow(), keys, truth)
        single, batch = single_rate(collection, sample.queries), batch_rate(collection, sample.queries)
    checks.expect(
        f"recall@{K} is {default:.3f} by default, at least {RECALL_PROMISED}", holds=default >= RECALL_PROMISED
    )
    checks.expect(f"recall@{K} is {exact:.3f} with .exact(), that is 1", holds=exact == 1)
    checks.console.print()
    print_pairs(
        {
            "queries per second, one by one": f"{single:,.0f}",
            f"queries per second, {len(sample.queries)} in one call": f"{batch:,.0f}",
            "bytes per vector, raw float32": str(4 * collection.dim),
            "bytes per vector, SQ8 codes that a search reads": f"{stats.code_bytes / stats.rows:.0f}",
            "bytes per row on disk, vectors, columns and all": f"{stats.disk_bytes / stats.rows:.0f}",
        }
    )


def _compare_surfaces(collection: Collection, sample: Sample, truth: np.ndarray, checks: Checks) -> None:
    found = answers(collection, sample.table, sample.queries[clear_query(truth)])
    for surface, rows in found.items():
        checks.console.print(f"\n{surface}")
        print_rows(rows.columns, rows.head(3).rows(named=True))
    first, *others = found.values()
    checks.console.print()
    checks.expect(f"all {K} rows are the same from every surface", holds=all(first.equals(other) for other in others))
