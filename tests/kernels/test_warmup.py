from __future__ import annotations

import pytest

from drift_arrow.kernels import _jit
from tests.kernels.test_jit import SCAN, run_python

pytestmark = pytest.mark.skipif(_jit.INTERPRETED, reason="nothing is compiled")

IMPATIENT = """
from drift_arrow.kernels import compile_watch
compile_watch._PATIENCE = 0.0
"""

COMPILE = """
from drift_arrow.kernels.warmup import compile_kernels
steps = []
print(compile_kernels(lambda *step: steps.append(step)))
assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
assert steps[0][1] == 0 and steps[-1] == ("done", steps[-1][2], steps[-1][2])
"""

USE = """
import numpy as np
import pyarrow as pa
import drift_arrow as drift
rng = np.random.default_rng(0)
n = 3000
columns = {
    "name": [f"row {i}" for i in range(n)],
    "city": [("Rome", "Oslo", "Lima")[i * i % 3] for i in range(n)],
    "outlier": np.where(rng.random(n) < 0.01, 10**12, rng.integers(0, 9, n)),
    "price": np.round(rng.normal(50, 20, n), 2),
    "weight": rng.standard_normal(n).astype(np.float32),
    "flag": rng.integers(0, 9, n).astype(np.int8),
    "count": rng.integers(0, 9, n).astype(np.int16),
    "size": rng.integers(0, 2**20, n).astype(np.int32),
    "time": pa.array(np.cumsum(rng.integers(0, 2000, n)), pa.timestamp("ms")),
    "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(n * 8), pa.float32()), 8),
}
for key, values in (("name", columns["name"]), ("id", np.arange(n))):
    table = pa.table(columns | {key: values})
    docs = drift.connect("memory://scratch").create_collection(key, schema=table.schema, vector="vector", key=key)
    docs.add(table)
    docs.flush()
    docs.delete(keys=table.column(key).to_pylist()[:3])
    for search in (docs.search(np.ones(8)), docs.search(np.ones((5, 8))).exact().where("flag < 5")):
        assert len(search.limit(3).to_polars()) >= 3
from drift_arrow.kernels.compile_watch import WATCH
assert WATCH.n_compiled == 0
"""


def test_a_cold_compile_is_announced_once_and_a_warm_start_is_silent(tmp_path):
    for kernels in ("", "from drift_arrow.kernels.keys import *; KeyTable(1).find(fingerprint_ints(np.arange(3)))\n"):
        script = IMPATIENT + SCAN + kernels
        cold = run_python(script, NUMBA_CACHE_DIR=str(tmp_path))
        assert cold.returncode == 0, cold.stderr
        assert cold.stderr.count("\n") == cold.stderr.count("drift-cli warmup") == 1
        warm = run_python(script, NUMBA_CACHE_DIR=str(tmp_path))
        assert (warm.returncode, warm.stderr) == (0, "")


def test_short_compiling_is_not_announced(tmp_path):
    script = """
from drift_arrow.kernels import compile_watch
compile_watch._PATIENCE = 1e6
"""
    done = run_python(script + SCAN, NUMBA_CACHE_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_functions_of_other_packages_are_not_counted():
    script = """
from numba import njit
from drift_arrow.kernels import _jit
from drift_arrow.kernels.compile_watch import WATCH
njit(lambda x: x + 1)(1)
assert WATCH.n_compiled == 0
"""
    done = run_python(IMPATIENT + script)
    assert (done.returncode, done.stderr) == (0, "")


def test_after_compiling_ahead_nothing_is_left_to_compile(tmp_path):
    # a cache of its own: what other tests compiled must not count
    ahead = run_python(IMPATIENT + COMPILE, NUMBA_CACHE_DIR=str(tmp_path))
    assert (ahead.returncode, ahead.stderr) == (0, "")
    again = run_python(IMPATIENT + COMPILE, NUMBA_CACHE_DIR=str(tmp_path))
    assert (again.returncode, again.stdout, again.stderr) == (0, "0\n", "")
    use = run_python(IMPATIENT + USE, NUMBA_CACHE_DIR=str(tmp_path))
    assert (use.returncode, use.stderr) == (0, "")


def test_without_a_second_process_all_is_compiled_in_this_one():
    alone = "from drift_arrow.kernels import warmup; warmup._start_helper = lambda: None\n"
    assert run_python(COMPILE).returncode == 0
    done = run_python(alone + COMPILE)
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_plain_python_has_nothing_to_compile():
    done = run_python(
        "from drift_arrow.kernels.warmup import compile_kernels; assert compile_kernels() == 0", NUMBA_DISABLE_JIT="1"
    )
    assert done.returncode == 0, done.stderr
