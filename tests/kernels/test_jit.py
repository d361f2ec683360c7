from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import drift_arrow.kernels
from drift_arrow.kernels import _jit

FOLDER = Path(drift_arrow.kernels.__file__).parent

SCAN = """
import numpy as np
from drift_arrow.kernels import scan, topk
heaps = topk.Heaps.empty(1, 2)
scan.exact_scan(np.eye(3, dtype=np.float32), 5, None, np.eye(3, dtype=np.float32)[2:], "l2", heaps)
assert heaps.sorted()[0].tolist() == [[7, 5]]
"""


def run_python(script, **environment):
    command = [sys.executable, "-W", "error", "-c", script]
    root = str(FOLDER.parents[1])
    inherited = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": root}
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=False)


def test_kernels_also_run_as_plain_python():
    done = run_python(SCAN + "assert not hasattr(scan._exact_scan, 'stats')", NUMBA_DISABLE_JIT="1")
    assert done.returncode == 0, done.stderr


def test_a_bounds_check_can_be_compiled_in(tmp_path):
    script = """
import numpy as np
from drift_arrow.kernels._jit import kernel
@kernel
def read(values, index):
    return values[index]
read(np.zeros(1), 1)
"""
    path = tmp_path / "reads_past_the_end.py"
    path.write_text(script)
    done = run_python(f"import runpy; runpy.run_path({str(path)!r})", DRIFT_BOUNDSCHECK="1")
    assert "IndexError" in done.stderr


def test_the_second_process_loads_machine_code_from_the_cache(tmp_path):
    assert run_python(SCAN, NUMBA_CACHE_DIR=str(tmp_path)).returncode == 0
    script = SCAN + "assert sum(scan._exact_scan.stats.cache_hits.values()) == 1, scan._exact_scan.stats"
    done = run_python(script, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_checked_and_unchecked_machine_code_do_not_share_a_cache_file(tmp_path):
    assert run_python(SCAN, NUMBA_CACHE_DIR=str(tmp_path)).returncode == 0
    script = SCAN + "assert not scan._exact_scan.stats.cache_hits, scan._exact_scan.stats"
    done = run_python(script, NUMBA_CACHE_DIR=str(tmp_path), DRIFT_BOUNDSCHECK="1")
    assert done.returncode == 0, done.stderr


def test_the_cache_name_follows_the_sources_of_the_whole_floor(monkeypatch, tmp_path):
    for path in FOLDER.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(_jit, "__file__", str(tmp_path / "_jit.py"))
    before = _jit._floor_digest()
    (tmp_path / "topk.py").write_text("# another heap\n")
    assert _jit._floor_digest() != before


def test_kernels_compile_where_no_folder_for_a_cache_is_writable():
    # the only locator left finds caches of zip archives, and gives up on ordinary files
    script = SCAN + "assert scan._exact_scan.stats.cache_path is None"
    done = run_python(script, NUMBA_CACHE_LOCATOR_CLASSES="ZipCacheLocator")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(_jit.INTERPRETED, reason="nothing is compiled")
def test_writable_and_read_only_inputs_share_one_compilation():
    from drift_arrow.kernels import scan, topk

    matrix = np.eye(3, dtype=np.float32)
    for is_writable in (True, False):
        matrix.flags.writeable = is_writable
        scan.exact_scan(matrix, 0, None, matrix, "l2", topk.Heaps.empty(3, 1))
    assert len(vars(scan)["_exact_scan"].signatures) == 1
