"""Compiling ahead: every kernel that the engine and the file format use, for every type that they use it with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from drift_arrow.kernels import bitmap, distance, keys
from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.bloom import bloom_contains, build_bloom
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.bucket_table import BucketTable
from drift_arrow.kernels.code_block import BLOCK_WINDOW
from drift_arrow.kernels.code_moments import code_moments
from drift_arrow.kernels.compile_watch import WATCH
from drift_arrow.kernels.distinct import count_changes, number_distinct
from drift_arrow.kernels.encoded_floats import FLOATS, check_floats
from drift_arrow.kernels.encoded_integers import check_integers
from drift_arrow.kernels.everything import scan_everything
from drift_arrow.kernels.exact_rank import rank_exactly
from drift_arrow.kernels.ffor import encode_frames
from drift_arrow.kernels.float_points import gather_float_points
from drift_arrow.kernels.float_rows import gather_float_blocks, gather_float_rows
from drift_arrow.kernels.floats import decode_floats, encode_floats
from drift_arrow.kernels.gather import gather_rows
from drift_arrow.kernels.integer_points import gather_integer_points
from drift_arrow.kernels.integer_schemes import DICTIONARY, FRAME, LANES, N_LANES, N_SCHEMES
from drift_arrow.kernels.integers import decode_integers, decode_kinds, encode_integers
from drift_arrow.kernels.kmeans import train_centroids
from drift_arrow.kernels.lanes import TAIL_BYTES, VALUES
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.nearest import find_nearest
from drift_arrow.kernels.number_columns import NumberColumns, gather_numbers
from drift_arrow.kernels.probe import StopRule, probe_buckets
from drift_arrow.kernels.probing import cumulative_shares
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.row_table import RowTable, floats_line, gather_validity, integers_line, plain_line
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.sq8 import sq8_encode
from drift_arrow.kernels.stored_arrays import place_arrays
from drift_arrow.kernels.stored_floats import StoredFloats
from drift_arrow.kernels.string_points import gather_string_points
from drift_arrow.kernels.strings import gather_strings
from drift_arrow.kernels.topk import Heaps
from drift_arrow.kernels.touches import count_probed
from drift_arrow.kernels.utf8 import are_utf8

Progress = Callable[[str, int, int], None]
"""Called with the name of a step before it begins, the steps that are done, and all of them."""

_UNSIGNED: Final = tuple(np.dtype(f"u{size}") for size in (1, 2, 4, 8))


def _distances() -> None:
    matrix = np.eye(4, dtype=np.float32)
    distance.exact_distances(matrix, matrix[0], "l2")
    distance.normalize_rows(matrix)
    distance.first_nonfinite_row(matrix)
    distance.first_zero_row(matrix)


def _scans() -> None:
    matrix = np.eye(4, dtype=np.float32)
    exact_scan(matrix, 0, bitmap.full(4), matrix, "l2", Heaps.empty(4, 2))
    train_centroids(matrix, 2, seed=0, iterations=1, spherical=False)
    sq8 = sq8_encode(matrix, np.array([0, 4]))
    address = np.array([sq8.codes.ctypes.data], np.uint64)
    rows, first_row, norms = np.array([4], np.uint32), np.zeros(1, np.int64), np.ones(4, np.float32)
    buckets = BucketArrays(code_address=address, rows=rows, first_row=first_row, lo=sq8.lo, step=sq8.step, norms=norms)
    adc_scan(matrix, np.zeros((4, 1), np.int64), buckets, None, "l2", Heaps.empty(4, 2))
    code_moments(address, np.array([0, 4]), 4, None)
    _scan_everything()
    bitmap.clear(bitmap.full(4), first_row)
    order, distances = rank_buckets(matrix, matrix, "l2")
    radii = np.ones(4)
    cumulative_shares(distances, order, radii, radii, "l2", spread=1.0, effective_dim=8.0)
    one = StopRule(k=1, first=1, n_probe=1)
    table = BucketTable(centroids=matrix[:1], buckets=buckets)
    probed = probe_buckets(matrix, table, None, None, "l2", one, 1)
    count_probed(probed.order, probed.counts, np.full(1, 4), np.zeros(1, np.uint32))
    vectors = RowTable.of(np.array([0, 4]), [plain_line(matrix.size, address_of(matrix))], [matrix])
    rank_exactly(matrix, probed.ids, vectors, "l2", 1)
    find_nearest(matrix, table, None, None, "l2", one, 1, vectors, 1)
    gather_numbers(NumberColumns.of([]), np.zeros(1, np.int64))


def _scan_everything() -> None:
    matrix = np.eye(BLOCK_WINDOW, dtype=np.float32)
    sq8 = sq8_encode(matrix, np.array([0, BLOCK_WINDOW]))
    buckets = BucketArrays(
        code_address=np.array([sq8.codes.ctypes.data], np.uint64),
        rows=np.array([BLOCK_WINDOW], np.uint32),
        first_row=np.zeros(1, np.int64),
        lo=sq8.lo,
        step=sq8.step,
        norms=np.ones(BLOCK_WINDOW, np.float32),
    )
    scan_everything(matrix, buckets, None, "l2", Heaps.empty(BLOCK_WINDOW, 2))


def _strings() -> None:
    gather_strings(np.zeros(1, np.uint8), np.array([0, 1]), np.zeros(1, np.uint32))
    rows = np.zeros(1, np.int64)
    for dtype in (np.int32, np.int64):
        offsets = np.zeros(2, dtype)
        table = RowTable.of(np.array([0, 1]), [plain_line(1, address_of(offsets), 0)], [offsets])
        gather_string_points(table, rows, np.empty(2, dtype), 0)
        gather_validity(table, rows)
    are_utf8(np.zeros(1, np.uint8), np.array([0, 1]))


def _keys() -> None:
    fingerprints = keys.fingerprint_ints(np.arange(4))
    for offsets in (np.array([0, 1], np.int32), np.array([0, 1], np.int64)):
        keys.fingerprint_strings(offsets, np.zeros(1, np.uint8), 0)
    keys.first_duplicate(fingerprints)
    keys.find_sorted(fingerprints, keys.sort_fingerprints(fingerprints), fingerprints)
    table = keys.KeyTable(0)
    table.insert(fingerprints, 0)
    table.find(fingerprints)
    bloom_contains(build_bloom(fingerprints), fingerprints)


def _stored_arrays() -> None:
    stored = readonly("stored", np.zeros(TAIL_BYTES, np.uint8), np.uint8, TAIL_BYTES)
    # as many as packed integers have, and packed floats
    for n in (8, 7):
        places = np.empty(2 * n, np.int64)
        place_arrays(stored, 0, (1,) * n, (0,) * (n - 1) + (TAIL_BYTES,), places)
    StoredFloats.load(np.dtype(np.float64), 0, stored, places)


def _rows(dtype: np.dtype[Any]) -> None:
    gather_rows(np.zeros(4, dtype), np.zeros(1, np.int64), 2)


def _floats(dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(0)
    for values in (rng.standard_normal(2 * VALUES), rng.integers(0, 1000, 2 * VALUES) / 100):
        encoded = encode_floats(values.astype(dtype))
        check_floats(encoded)
        decode_floats(encoded)
        row, out = np.zeros(1, np.int64), np.empty((1, VALUES), dtype)
        gather_float_rows(encoded, row, VALUES, out)
        gather_float_blocks([encoded], row + 1, row, row, VALUES, out)
        gather_float_points(RowTable.of(np.array([0, 2]), [floats_line(encoded)], [encoded]), row, out)


def _integer_columns(dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(0)
    for entries in (7, 200):
        # few values that are far from each other are worth a dictionary, some that are not are exceptions
        spread = rng.integers(0, 2 ** (8 * dtype.itemsize) - 1, entries, dtype)
        values = np.where(rng.random(4 * VALUES) < 0.01, dtype.type(255), rng.choice(spread, 4 * VALUES))
        encoded = encode_integers(values, whole_bytes=True)
        check_integers(encoded)
        decode_integers(encoded)
        table = RowTable.of(np.array([0, values.size]), [integers_line(encoded.table)], [encoded])
        gather_integer_points(table, np.zeros(1, np.int64), np.empty(1, dtype))
        number_distinct(values, dtype.type(0), values.size)
        count_changes(values, 1, 1)
    # small numbers with a few large ones among them, which become exceptions
    encode_integers(np.where(rng.random(VALUES) < 0.01, np.iinfo(dtype).max, rng.integers(0, 4, VALUES)).astype(dtype))


def _integer_kind(dtype: np.dtype[Any], kind: int) -> None:
    values, kinds, packed = np.empty(0, dtype), np.empty(0, np.uint8), np.empty(0, np.uint8)
    decode_kinds(encode_integers(values).table, (kind,), 0, values)
    if kind // N_LANES == FRAME:
        source = readonly("values", values, dtype, 0)
        encode_frames(kind, 0, kinds, kinds, values, np.zeros(1, np.uint64), packed, LANES[kind % N_LANES], source)


def _kinds(dtype: np.dtype[Any]) -> list[int]:
    """Kinds of vectors of a column: no lane is wider than a value, nor than the code of a dictionary."""
    return [
        scheme * N_LANES + lane
        for scheme in range(N_SCHEMES)
        for lane in range(N_LANES)
        if 1 << lane <= (min(2, dtype.itemsize) if scheme == DICTIONARY else dtype.itemsize)
    ]


Steps = list[tuple[str, Callable[[], None]]]


def _first_half() -> Steps:
    # in halves that take the same time
    steps: Steps = [
        ("distances", _distances),
        ("keys", _keys),
        ("strings", _strings),
        ("stored arrays", _stored_arrays),
    ]
    for dtype in _UNSIGNED:
        name = f"{8 * dtype.itemsize}-bit integers"
        steps.append((name, partial(_integer_columns, dtype)))
        steps += [(name, partial(_integer_kind, dtype, kind)) for kind in _kinds(dtype)]
    return steps


def _second_half() -> Steps:
    steps: Steps = [("scans", _scans)]
    for values, bits in FLOATS.items():
        steps += [(f"rows of {values}", partial(_rows, bits)), (f"{values}", partial(_floats, values))]
    return steps


def compile_second_half() -> None:
    """Compile what another process leaves to this one, and print how many compilations that took."""
    WATCH.is_quiet = True
    for _, step in _second_half():
        step()
    sys.stdout.write(str(WATCH.n_compiled))


def _start_helper() -> subprocess.Popen[str] | None:
    if (os.cpu_count() or 1) < 2 or not sys.executable:
        return None
    script = f"import {__name__} as warmup; warmup.compile_second_half()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def compile_kernels(progress: Progress | None = None) -> int:
    """Compile every kernel, so that later processes load machine code from the cache.

    Parameters
    ----------
    progress : callable, optional
        Called with a name, the number of steps that are done, and of all steps: whenever one begins, and at the end.

    Returns
    -------
    int
        Compilations; 0 where all of them were in the cache, or nothing is compiled at all.

    Notes
    -----
    Half a minute of two cores, or some seconds with a warm cache. A second process compiles half of it where there is a
    second core. There is no notice of slow compiling on stderr.
    """
    if INTERPRETED:
        return 0
    before, was_quiet, WATCH.is_quiet = WATCH.n_compiled, WATCH.is_quiet, True
    mine, others = _first_half(), _second_half()
    helper = _start_helper()
    try:
        _run(mine, 0, len(mine) + len(others), progress)
        elsewhere = "" if helper is None else helper.communicate()[0]
        if not elsewhere:
            _run(others, len(mine), len(mine) + len(others), progress)
    finally:
        WATCH.is_quiet = was_quiet
        if helper is not None:
            helper.kill()
            helper.wait()
    if progress is not None:
        progress("done", len(mine) + len(others), len(mine) + len(others))
    return WATCH.n_compiled - before + int(elsewhere or 0)


def _run(steps: Steps, done: int, total: int, progress: Progress | None) -> None:
    for number, (name, step) in enumerate(steps):
        if progress is not None:
            progress(name, done + number, total)
        step()
