"""Which connections know the functions, and how they may be used."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading

import duckdb
import pytest

from drift_arrow import duckdb_udf
from drift_arrow.duckdb_udf import capi, native_database, static_extension
from drift_arrow.errors import InvalidArgumentError
from tests.surfaces.duck import make_collection, make_table

N_ROWS = 300

needs_static_extensions = pytest.mark.skipif(not capi.has_static_extensions(), reason="DuckDB 2.0 or later")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_collection(tmp_path_factory.mktemp("connections"), make_table(N_ROWS))


def count(con, path):
    return con.execute("SELECT count(*) FROM drift_scan(?)", [path]).fetchall()


def run(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@needs_static_extensions
def test_a_connection_opened_later_needs_no_registration(path):
    with duckdb.connect() as con:
        assert count(con, path) == [(N_ROWS,)]


BEFORE = """
import sys, duckdb
old = duckdb.connect({database})
old.execute("CREATE TABLE mine AS SELECT 7 AS seven")
cursor = old.cursor()
from drift_arrow import duckdb_udf
assert duckdb_udf.register(old) is old
duckdb_udf.register(old)
for con in (old, cursor, old.cursor()):
    assert con.execute("SELECT count(*) FROM drift_scan(?), mine", [sys.argv[1]]).fetchall() == [(300,)]
"""


@pytest.mark.parametrize("database", ["", "sys.argv[2]"])
def test_a_connection_opened_before_the_import_is_registered(path, tmp_path, database):
    done = run(BEFORE.format(database=database), path, str(tmp_path / "file.db"))
    assert done.returncode == 0, done.stderr


def test_without_the_static_extension_registration_is_enough(path):
    code = BEFORE.replace(
        "from drift_arrow", "import _duckdb; _duckdb._drift_arrow_static_extension = ()\nfrom drift_arrow"
    )
    done = run(code.format(database=""), path)
    assert done.returncode == 0, done.stderr


def test_without_a_native_database_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(native_database, "_MEMORY", "/no/such/file")
    monkeypatch.setattr("drift_arrow.duckdb_udf.registration._is_registered", lambda _: False)
    with pytest.raises(InvalidArgumentError, match=r"import drift_arrow.duckdb_udf before duckdb.connect\(\)"):
        duckdb_udf.register(duckdb.connect())


def test_a_closed_connection_is_refused():
    con = duckdb.connect()
    con.close()
    with pytest.raises(InvalidArgumentError, match="closed"):
        duckdb_udf.register(con)


def test_what_is_no_connection_is_refused():
    with pytest.raises(InvalidArgumentError, match="got=str"):
        duckdb_udf.register("data.db")  # type: ignore[arg-type]


def test_an_object_without_a_native_database_gives_none():
    closed = duckdb.connect()
    closed.close()
    # the last one is full of aligned words that no address can be
    things: tuple[object, ...] = (closed, object(), [], "x" * 100, "\xf8" * 100)
    assert [native_database.find_database(thing) for thing in things] == [None] * 5


def test_registering_leaves_a_transaction_and_a_pending_result_alone(path):
    with duckdb.connect() as con:
        con.execute("BEGIN")
        con.execute("CREATE TABLE mine AS SELECT range AS i FROM range(5000)")
        con.execute("SELECT i FROM mine ORDER BY i")
        assert con.fetchone() == (0,)
        duckdb_udf.register(con)
        assert con.fetchone() == (1,)
        con.execute("ROLLBACK")
        with pytest.raises(duckdb.CatalogException):
            con.execute("FROM mine")
        assert count(con, path) == [(N_ROWS,)]


def test_functions_registered_inside_a_transaction_outlive_its_rollback(path):
    code = """
import sys, duckdb
con = duckdb.connect()
con.execute("BEGIN")
from drift_arrow import duckdb_udf
duckdb_udf.register(con)
con.execute("ROLLBACK")
assert con.execute("SELECT count(*) FROM drift_scan(?)", [sys.argv[1]]).fetchall() == [(300,)]
"""
    done = run(code, path)
    assert done.returncode == 0, done.stderr


def test_views_and_macros_live_in_a_database_file(path, tmp_path):
    file = str(tmp_path / "views.db")
    with duckdb_udf.register(duckdb.connect(file)) as con:
        con.execute(f"CREATE VIEW docs AS FROM drift_scan('{path}')")
        con.execute(f"CREATE MACRO near(q) AS TABLE SELECT id FROM drift_search('{path}', q, k := 1)")
    with duckdb.connect(file, read_only=True) as con:
        duckdb_udf.register(con)
        assert con.sql("SELECT count(*) FROM docs").fetchall() == [(N_ROWS,)]
        assert con.execute("FROM near(?)", [make_table(N_ROWS)["v"][9].as_py()]).fetchall() == [(9,)]


def test_threads_search_at_once(path):
    vectors = make_table(N_ROWS)["v"].to_pylist()
    con = duckdb_udf.register(duckdb.connect())
    failures = []

    def search(first):
        try:
            with con.cursor() as cursor:
                for key in range(first, first + 40):
                    sql = "SELECT id, title FROM drift_search(?, ?, k := 1)"
                    ((found, _),) = cursor.execute(sql, [path, vectors[key]]).fetchall()
                    assert found == key
                    assert count(cursor, path) == [(N_ROWS,)]
        except BaseException as error:  # noqa: BLE001 - a thread has no other way to fail a test
            failures.append(error)

    threads = [threading.Thread(target=search, args=[50 * number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    con.close()
    assert failures == []


def test_threads_connect_and_register_at_once(path):
    failures = []

    def connect():
        try:
            for _ in range(3):
                with duckdb_udf.register(duckdb.connect()) as con:
                    assert count(con, path) == [(N_ROWS,)]
        except BaseException as error:  # noqa: BLE001 - a thread has no other way to fail a test
            failures.append(error)

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@needs_static_extensions
def test_a_second_import_does_not_spoil_connecting(path):
    importlib.reload(static_extension).install()
    with duckdb.connect() as con:
        assert count(con, path) == [(N_ROWS,)]
