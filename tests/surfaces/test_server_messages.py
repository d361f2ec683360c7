"""What travels between client and server: tables, vectors and errors."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import grpc
import numpy as np
import pyarrow as pa
import pytest

from drift_arrow import errors
from drift_arrow.server import drift_pb2, limits, tables
from drift_arrow.server.manager import CollectionManager
from drift_arrow.server.status import DETAIL_KEY, code_of, detail_of, error_of
from drift_arrow.server.tables import decode_schema, decode_table, encode_schema, encode_table
from drift_arrow.server.vectors import get_vectors, put_vectors
from tests.surfaces.command_line import ROOT, make_collection, make_table

ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.DriftError) and kind is not errors.CorruptionError
]


class Failure:
    """What a failed call offers."""

    def __init__(self, code, details, metadata=()):
        self._answers = code, details, metadata

    def code(self):
        return self._answers[0]

    def details(self):
        return self._answers[1]

    def trailing_metadata(self):
        return self._answers[2]


def sent(error):
    """The error as a client raises it, after the server raised this one."""
    detail = detail_of(error)
    return error_of(Failure(code_of(error), detail.message, ((DETAIL_KEY, detail.SerializeToString()),)))


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_arrives_as_itself(kind):
    arrived = sent(kind("wrong; name='é'"))
    assert type(arrived) is kind
    assert str(arrived) == "wrong; name='é'"


def test_a_corruption_error_arrives_with_path_and_offset():
    arrived = sent(errors.CorruptionError("bad checksum", path="segments/a.drift", offset=4096))
    assert isinstance(arrived, errors.CorruptionError)
    assert (arrived.path, arrived.offset) == ("segments/a.drift", 4096)
    assert str(arrived) == "bad checksum; path='segments/a.drift' offset=4096"


def test_a_long_message_is_cut_so_that_it_fits_the_metadata():
    assert len(str(sent(errors.DriftError("é" * 10_000)))) == limits.MAX_ERROR_CHARS


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.StorageError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.StorageError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.LimitExceededError),
        (grpc.StatusCode.UNKNOWN, errors.DriftError),
    ],
)
def test_a_failure_without_a_detail_is_a_drift_error_too(code, kind):
    arrived = error_of(Failure(code, "because"))
    assert type(arrived) is kind
    assert "because" in str(arrived)


def test_a_table_survives_the_trip():
    assert decode_table(encode_table(make_table())) == make_table()


def test_a_schema_survives_the_trip():
    schema = make_table().schema.with_metadata({"a": "b"})
    assert decode_schema(encode_schema(schema)).equals(schema, check_metadata=True)


@pytest.mark.parametrize("data", [b"", b"\xff" * 64, encode_table(make_table())[:300]])
def test_bytes_that_are_no_table_are_refused(data):
    with pytest.raises(errors.InvalidArgumentError, match="Arrow IPC stream"):
        decode_table(data)


def test_no_flipped_bit_of_a_table_does_worse_than_an_error():
    data = encode_table(make_table(8))
    for position in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[position] ^= 0x40
        with suppress(errors.InvalidArgumentError, UnicodeDecodeError):
            decode_table(bytes(damaged)).to_pylist()


def test_a_table_that_unpacks_past_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(tables, "MAX_BATCH_BYTES", 1000)
    with pytest.raises(errors.LimitExceededError):
        decode_table(encode_table(make_table(1000)))


@pytest.mark.parametrize("query", [[1, 2.5, 3], [[1, 2]], [[1, 2], [3, 4]], np.zeros((0, 3))])
def test_vectors_survive_the_trip(query):
    request = drift_pb2.SearchRequest()
    put_vectors(request, query)
    arrived = get_vectors(drift_pb2.SearchRequest.FromString(request.SerializeToString()))
    assert arrived.dtype == np.float32
    assert np.array_equal(arrived, np.asarray(query, np.float32))


@pytest.mark.parametrize("query", [5, "text", [[[1]]], [[1], [2, 3]], [], [[]]])
def test_what_is_no_query_is_refused_before_it_is_sent(query):
    with pytest.raises(errors.InvalidArgumentError):
        put_vectors(drift_pb2.SearchRequest(), query)


PACKED = drift_pb2.PackedVectors


@pytest.mark.parametrize(
    ("dim", "n_values", "is_batch"),
    [(0, 0, False), (0, 1, True), (2, 1, False), (2, 3, True), (2, 4, False), (2**31, 0, True)],
)
def test_packed_values_that_contradict_their_dimension_are_refused(dim, n_values, is_batch):
    packed = PACKED(dim=dim, values=[1] * n_values, batch=is_batch)
    with pytest.raises(errors.InvalidArgumentError, match="dim="):
        get_vectors(drift_pb2.SearchRequest(packed=packed))


def test_packed_values_may_be_a_batch():
    packed = PACKED(dim=2, values=[1, 2, 3, 4], batch=True)
    assert get_vectors(drift_pb2.SearchRequest(packed=packed)).tolist() == [[1, 2], [3, 4]]


LISTS = pa.list_(pa.float64())


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": [1.0]}),
        pa.table({"a": [["x"]]}),
        pa.table({"a": pa.array([[1.0], [1.0, 2.0]], LISTS)}),
        pa.table({"a": pa.array([[1.0], None], LISTS)}),
        pa.table({"a": pa.array([[1.0], [None]], LISTS)}),
        pa.table({"a": pa.array([None], pa.list_(pa.float32(), 2))}),
        pa.table({"a": pa.array([[]], LISTS)}),
        pa.table({"a": [[1.0]], "b": [1]}),
    ],
    ids=["no list", "texts", "two lengths", "a null list", "a null number", "a null array", "empty", "two columns"],
)
def test_a_table_that_holds_no_queries_is_refused(table):
    with pytest.raises(errors.InvalidArgumentError):
        get_vectors(drift_pb2.SearchRequest(vectors=encode_table(table)))


def test_a_request_without_vectors_is_refused():
    with pytest.raises(errors.InvalidArgumentError, match="no vectors"):
        get_vectors(drift_pb2.SearchRequest())


def test_the_manager_opens_a_collection_once(tmp_path):
    make_collection(tmp_path)
    manager = CollectionManager(str(tmp_path))
    assert manager.get("docs") is manager.get("docs")
    manager.close()


def test_a_closed_manager_opens_nothing_and_holds_nothing(tmp_path):
    make_collection(tmp_path)
    manager = CollectionManager(str(tmp_path))
    collection = manager.get("docs")
    manager.close()
    manager.close()
    with pytest.raises(errors.ClosedError):
        manager.get("docs")
    with pytest.raises(errors.ClosedError):
        collection.stats()


def test_the_server_without_grpc_says_what_to_install():
    check = (
        "import sys; sys.modules['grpc'] = None\n"
        "from drift_arrow.errors import InvalidArgumentError\n"
        "import drift_arrow.server as server\n"
        "try:\n    server.DriftClient\n"
        "except InvalidArgumentError as error:\n    sys.exit('drift_arrow[server]' not in str(error))\n"
        "sys.exit(2)"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_generated_messages_are_those_of_the_proto_file():
    declared = (ROOT / "drift_arrow" / "server" / "drift.proto").read_text(encoding="utf-8")
    for name, message in drift_pb2.DESCRIPTOR.message_types_by_name.items():
        assert f"message {name} {{" in declared
        for field in message.fields:
            assert f" {field.name} = {field.number};" in declared
