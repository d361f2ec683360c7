"""A process may end while DuckDB still holds a result of ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.surfaces.duck import make_collection, make_table

START = """
import sys, threading, duckdb
{old}
from drift_arrow import duckdb_udf
con = duckdb_udf.register({new})
scan = f"FROM drift_scan('{{sys.argv[1]}}')"
"""
ENDINGS = {
    "half-read result": "con.execute(scan).fetchone()",
    "half-read batches": "batches = con.sql(scan).to_arrow_reader(100); batches.read_next_batch()",
    "half-read join": "con.execute(scan + ' a, range(9) b').fetchone()",
    "unread result": "con.execute(scan)",
    "unused relation": "relation = con.sql(scan)",
    "open transaction": "con.execute('BEGIN'); con.execute(scan).fetchone()",
    "several connections": "c = [con.cursor() for _ in range(4)]; [x.execute(scan).fetchone() for x in c]",
    "running thread": "threading.Thread(target=lambda: con.cursor().execute(scan).fetchall()).start()",
    "error": "con.execute(scan).fetchone(); sys.exit(0)",
    "closed": "con.execute(scan).fetchone(); con.close()",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_collection(tmp_path_factory.mktemp("exit"), make_table(60_000))


@pytest.mark.parametrize("is_old", [False, True], ids=["opened after", "opened before"])
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_the_process_ends_quietly(path, ending, is_old):
    start = START.format(old="old = duckdb.connect()" if is_old else "", new="old" if is_old else "duckdb.connect()")
    done = subprocess.run([sys.executable, "-c", start + ending, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_query_after_the_gates_are_shut_is_an_error(path):
    code = """
import atexit, sys, duckdb

def late():
    try:
        con.execute(f"FROM drift_scan('{sys.argv[1]}')")
    except duckdb.Error as error:
        print(error)

atexit.register(late)
from drift_arrow import duckdb_udf
con = duckdb_udf.register(duckdb.connect())
"""
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the interpreter is exiting" in done.stdout
