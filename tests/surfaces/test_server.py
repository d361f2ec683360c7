"""DriftService as a real process: `drift-cli serve` in one, the client in another."""

from __future__ import annotations

import signal
import threading
import uuid
from contextlib import contextmanager

import grpc
import numpy as np
import pyarrow as pa
import pytest

import drift_arrow
from drift_arrow.errors import (
    AlreadyExistsError,
    InvalidArgumentError,
    LimitExceededError,
    LockedError,
    NotFoundError,
    StorageError,
)
from drift_arrow.server import DriftClient
from tests.surfaces.command_line import DIM, assert_one_line, make_collection, make_table, run, start


@contextmanager
def serving(root, *options):
    """A server process and its address; killed if the test leaves it running."""
    with start("serve", root, "--port", "0", *options) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert " at " in line, process.stderr.read() if process.stderr else ""
            yield process, line.split(" at ")[1].strip()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a server that many tests share; each makes its own collection."""
    with serving(tmp_path_factory.mktemp("data")) as (_, address), DriftClient(address) as client:
        yield client


@pytest.fixture
def docs(client):
    name = f"docs-{uuid.uuid4().hex}"
    client.create_collection(name, schema=make_table().schema, vector="v", key="id")
    return name


def test_health_tells_the_version(client):
    assert client.health() == drift_arrow.__version__


def test_inserted_rows_are_found(client, docs):
    assert client.insert(docs, make_table()) == 20
    found = client.search(docs, [7.2, 0, 0, 0], k=2)
    assert found["id"].to_pylist() == [7, 8]
    assert found.schema.names == ["id", "title", "lang", "_distance"]


def test_a_batch_of_queries_gives_a_query_index(client, docs):
    client.insert(docs, make_table())
    found = client.search(docs, np.array([[3, 0, 0, 0], [9, 0, 0, 0]]), k=1)
    assert found.select(["query_index", "id"]).to_pylist() == [{"query_index": 0, "id": 3}, {"query_index": 1, "id": 9}]


def test_where_select_and_exact_reach_the_engine(client, docs):
    client.insert(docs, make_table())
    found = client.search(docs, [0, 0, 0, 0], k=2, where="lang = 'en'", select=["title"], exact=True)
    assert found.to_pylist() == [{"title": "row 1", "_distance": 1.0}, {"title": "row 3", "_distance": 9.0}]


def test_an_empty_selection_leaves_the_distance(client, docs):
    client.insert(docs, make_table())
    assert client.search(docs, [0, 0, 0, 0], k=1, select=[]).to_pylist() == [{"_distance": 0.0}]


def test_upsert_replaces_and_insert_does_not(client, docs):
    client.insert(docs, make_table())
    changed = make_table(1).set_column(1, "title", pa.array(["new"]))
    with pytest.raises(AlreadyExistsError, match="0"):
        client.insert(docs, changed)
    client.insert(docs, changed, upsert=True)
    assert client.search(docs, [0, 0, 0, 0], k=1)["title"].to_pylist() == ["new"]


def test_data_may_be_a_frame_or_a_batch(client, docs):
    import polars as pl

    client.insert(docs, make_table(5).to_batches()[0])
    client.insert(docs, pl.DataFrame(make_table(5, first_key=5)))
    assert client.search(docs, [0, 0, 0, 0], k=20).num_rows == 10


def test_lists_of_any_length_take_a_dim(client):
    schema = pa.schema({"id": pa.string(), "v": pa.list_(pa.float32())})
    client.create_collection("lists", schema=schema, vector="v", key="id", metric="cosine", dim=2)
    client.insert("lists", pa.table({"id": ["a"], "v": [[3.0, 4.0]]}, schema=schema))
    assert client.search("lists", [6, 8])["_distance"].to_pylist() == pytest.approx([0], abs=1e-6)


def test_a_wrong_dimension_is_refused_and_nothing_is_written(client, docs):
    schema = make_table().schema.set(3, pa.field("v", pa.list_(pa.float32(), 2)))
    table = pa.table({"id": [1], "title": ["a"], "lang": ["en"], "v": [[1.0, 2.0]]}, schema=schema)
    with pytest.raises(InvalidArgumentError):
        client.insert(docs, table)
    with pytest.raises(InvalidArgumentError):
        client.search(docs, [1, 2])
    assert client.search(docs, [0] * DIM).num_rows == 0


def test_a_missing_collection_is_not_made_by_an_insert(client):
    with pytest.raises(NotFoundError, match="absent"):
        client.insert("absent", make_table())
    with pytest.raises(NotFoundError, match="absent"):
        client.search("absent", [0] * DIM)


def test_a_name_that_is_taken_is_refused(client, docs):
    with pytest.raises(AlreadyExistsError, match=docs):
        client.create_collection(docs, schema=make_table().schema, vector="v", key="id")


@pytest.mark.parametrize("name", ["../up", "a/b", "", "UPPER", "a" * 64, "/etc"])
def test_a_name_that_could_be_a_path_is_refused(client, name):
    with pytest.raises(InvalidArgumentError):
        client.create_collection(name, schema=make_table().schema, vector="v", key="id")
    with pytest.raises(InvalidArgumentError):
        client.insert(name, make_table())


@pytest.mark.parametrize(
    ("arguments", "part"),
    [({"k": 0}, "1"), ({"k": 10**6}, "k|limit"), ({"where": "price < 3"}, "price"), ({"select": ["price"]}, "price")],
)
def test_a_search_that_cannot_be_answered_names_the_argument(client, docs, arguments, part):
    with pytest.raises(InvalidArgumentError, match=part):
        client.search(docs, [0] * DIM, **arguments)


def test_many_clients_may_insert_at_once(client, docs):
    def insert(worker):
        for batch in range(5):
            client.insert(docs, make_table(10, first_key=1000 * worker + 10 * batch))

    threads = [threading.Thread(target=insert, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.search(docs, [0] * DIM, k=1000).num_rows == 200


def test_a_request_past_the_limit_is_refused_before_it_is_sent(client, docs):
    with pytest.raises(LimitExceededError, match="fewer rows"):
        client.insert(docs, make_table(700_000))


def test_an_answer_past_the_limit_is_refused(client, docs):
    texts = pa.array(["x" * 100_000] * 100)
    for start_key in range(0, 300, 100):
        client.insert(docs, make_table(100, first_key=start_key).set_column(1, "title", texts))
    with pytest.raises(LimitExceededError, match="too large"):
        client.search(docs, [0] * DIM, k=300)


@pytest.mark.parametrize("method", ["CreateCollection", "Insert", "Search"])
def test_bytes_that_are_no_request_are_answered_with_an_error(client, method):
    call = client._channel.unary_unary(f"/drift.v1.DriftService/{method}")
    with pytest.raises(grpc.RpcError) as failure:
        call(b"\xff" * 100, timeout=30)
    assert failure.value.code() != grpc.StatusCode.OK
    assert client.health()


def test_an_unknown_method_is_unimplemented(client):
    with pytest.raises(grpc.RpcError) as failure:
        client._channel.unary_unary("/drift.v1.DriftService/Drop")(b"", timeout=30)
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_acknowledged_rows_answer_after_kill_9_and_restart(tmp_path):
    acknowledged: list[int] = []
    with serving(tmp_path) as (process, address), DriftClient(address) as client:
        client.create_collection("docs", schema=make_table().schema, vector="v", key="id")
        for batch in range(10):
            client.insert("docs", make_table(50, first_key=50 * batch))
            acknowledged += range(50 * batch, 50 * batch + 50)
        process.kill()
        process.wait()
        with pytest.raises(StorageError):
            client.insert("docs", make_table(1, first_key=10_000))
    with serving(tmp_path) as (_, address), DriftClient(address) as client:
        found = client.search("docs", [0] * DIM, k=1000)
        assert sorted(found["id"].to_pylist()) == acknowledged
        client.insert("docs", make_table(1, first_key=10_000))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_cleanly(tmp_path, number):
    make_collection(tmp_path)
    with serving(tmp_path) as (process, address), DriftClient(address) as client:
        client.insert("docs", make_table(5, first_key=100))
        process.send_signal(number)
        assert process.wait() == 0
        assert process.stderr.read() == ""
    with drift_arrow.connect(str(tmp_path)) as database, database.collection("docs") as collection:
        assert len(collection) == 25


def test_a_collection_that_another_process_writes_is_locked(tmp_path):
    make_collection(tmp_path)
    with (
        drift_arrow.connect(str(tmp_path)) as database,
        database.collection("docs"),
        serving(tmp_path) as (_, address),
        DriftClient(address) as client,
        pytest.raises(LockedError),
    ):
        client.insert("docs", make_table(1, first_key=100))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.org", ""])
def test_a_host_that_others_could_reach_is_refused(tmp_path, host):
    assert_one_line(run("serve", tmp_path, "--host", host), "loopback")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_a_loopback_host_is_served(tmp_path, host):
    with serving(tmp_path, "--host", host) as (_, address), DriftClient(address) as client:
        assert client.health()


def test_a_port_that_is_taken_is_refused(tmp_path):
    with serving(tmp_path) as (_, address):
        assert_one_line(run("serve", tmp_path, "--port", address.rpartition(":")[2]), "port")


def test_a_server_that_is_not_there_is_a_storage_error():
    with DriftClient("127.0.0.1:1", timeout_s=5) as client, pytest.raises(StorageError, match="cannot be reached"):
        client.health()
