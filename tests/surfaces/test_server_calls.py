"""What a call does when the engine is slow or broken: a server in this process, with a manager we control."""

from __future__ import annotations

import asyncio
import logging
import threading

import grpc
import polars as pl
import pytest

from drift_arrow.errors import ClosedError, DriftError, InvalidArgumentError, StorageError
from drift_arrow.server import DriftClient, DriftServer, drift_pb2, limits, service
from drift_arrow.server.manager import CollectionManager
from tests.surfaces.command_line import make_collection

SEARCH = drift_pb2.SearchRequest(collection="docs", packed=drift_pb2.PackedVectors(dim=4, values=[0] * 4))


def serve_and(work, root):
    """Run `work(address)` in a thread while a server answers; its result."""

    async def run():
        async with DriftServer(str(root), port=0) as server:
            return await asyncio.to_thread(work, server.address)

    return asyncio.run(run())


def raw_search(address):
    """The status of a search that sets no deadline."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/{limits.SERVICE_NAME}/Search", None, None)
        with pytest.raises(grpc.RpcError) as failure:
            call(SEARCH.SerializeToString())
    return failure.value


@pytest.fixture
def root(tmp_path):
    make_collection(tmp_path)
    return tmp_path


@pytest.fixture
def stuck(monkeypatch):
    """An engine whose calls wait until the test ends."""
    release = threading.Event()
    opened = CollectionManager.get

    def wait(self, name):
        release.wait()
        return opened(self, name)

    monkeypatch.setattr(CollectionManager, "get", wait)
    return release


def test_a_call_without_a_deadline_gets_one(root, stuck, monkeypatch):
    monkeypatch.setattr(service, "DEFAULT_DEADLINE_S", 0.1)

    def work(address):
        try:
            return raw_search(address)
        finally:
            stuck.set()

    failure = serve_and(work, root)
    assert failure.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert failure.details() == service.LATE


def test_the_client_stops_waiting_at_its_own_deadline(root, stuck):
    def work(address):
        try:
            with DriftClient(address, timeout_s=0.1) as client, pytest.raises(StorageError, match="no answer in time"):
                client.search("docs", [0] * 4)
        finally:
            stuck.set()

    serve_and(work, root)


def test_health_answers_while_every_worker_is_busy(root, stuck):
    def work(address):
        with grpc.insecure_channel(address) as channel, DriftClient(address, timeout_s=30) as client:
            call = channel.unary_unary(f"/{limits.SERVICE_NAME}/Search", None, None)
            waiting = [call.future(SEARCH.SerializeToString()) for _ in range(limits.WORKER_THREADS + 2)]
            version = client.health()
            stuck.set()
            assert all(answer.result() for answer in waiting)
            return version

    assert serve_and(work, root)


def test_an_unexpected_error_shows_the_client_a_number_and_the_log_the_rest(root, monkeypatch, caplog):
    def explode(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(CollectionManager, "get", explode)
    with caplog.at_level(logging.ERROR):
        failure = serve_and(raw_search, root)
    assert failure.code() == grpc.StatusCode.INTERNAL
    assert "secret" not in failure.details()
    number = failure.details().partition("id=")[2]
    assert number in caplog.text
    assert "secret" in caplog.text


def test_an_error_of_the_engine_reaches_the_client_whole(root, monkeypatch):
    def fail(*_):
        raise DriftError("something; a=1")

    monkeypatch.setattr(CollectionManager, "get", fail)

    def work(address):
        with DriftClient(address) as client, pytest.raises(DriftError, match=r"^something; a=1$"):
            client.search("docs", [0] * 4)

    serve_and(work, root)


def test_two_servers_cannot_share_a_port(root):
    def work(address):
        port = int(address.rpartition(":")[2])

        async def second():
            async with DriftServer(str(root), port=port):
                pass

        with pytest.raises(StorageError, match="port"):
            asyncio.run(second())

    serve_and(work, root)


@pytest.mark.parametrize(
    "arguments", [{"k": -1}, {"k": 2**40}, {"k": "x"}, {"where": 5}, {"where": "lang = '\ud800'"}, {"select": 5}]
)
def test_an_argument_that_no_request_can_hold_is_refused(arguments):
    with DriftClient("127.0.0.1:1") as client, pytest.raises(InvalidArgumentError, match="an argument"):
        client.search("docs", [0] * 4, **arguments)


def test_a_schema_of_the_client_is_one_of_arrow():
    with DriftClient("127.0.0.1:1") as client, pytest.raises(InvalidArgumentError, match=r"pyarrow\.Schema"):
        client.create_collection("docs", schema=pl.Schema({"id": pl.Int64}), vector="v", key="id")


def test_a_string_selects_one_column(root):
    def work(address):
        with DriftClient(address) as client:
            return client.search("docs", [0] * 4, select="id").column_names

    assert serve_and(work, root) == ["id", "_distance"]


def test_a_closed_client_says_so():
    client = DriftClient("127.0.0.1:1")
    client.close()
    with pytest.raises(ClosedError, match="make another"):
        client.health()
