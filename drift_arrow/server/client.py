"""A blocking client of DriftService that speaks Arrow and raises the errors of drift_arrow."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
import pyarrow as pa

from drift_arrow.errors import ClosedError, InvalidArgumentError, LimitExceededError
from drift_arrow.server import drift_pb2
from drift_arrow.server.limits import DEFAULT_DEADLINE_S, MAX_MESSAGE_BYTES, SERVICE_NAME
from drift_arrow.server.status import error_of
from drift_arrow.server.tables import decode_table, encode_schema, encode_table
from drift_arrow.server.vectors import put_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from numpy.typing import ArrayLike

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A proxy of the environment cannot reach the loopback address of this machine.
    ("grpc.enable_http_proxy", 0),
)


class DriftClient:
    """Talks to one server. Safe to use from many threads.

    Parameters
    ----------
    address : str
        `host:port`, as `drift-cli serve` prints it.
    timeout_s : float
        Deadline of each call.

    Notes
    -----
    Every method raises the error that the engine raised in the server, and ClosedError after `close`. A `StorageError`
    also stands for a server that cannot be reached or does not answer in time; an insert may have happened then.

    Examples
    --------
    >>> with DriftClient("127.0.0.1:7400") as client:  # doctest: +SKIP
    ...     client.insert("docs", table)
    ...     client.search("docs", [0.1, 0.7], k=5)
    """

    def __init__(self, address: str, *, timeout_s: float = DEFAULT_DEADLINE_S) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)

    def __repr__(self) -> str:
        return f"<DriftClient {self._address!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. A second call does nothing."""
        self._channel.close()

    def create_collection(
        self, name: str, *, schema: pa.Schema, vector: str, key: str, metric: str = "l2", dim: int | None = None
    ) -> None:
        """Make an empty collection, as `Database.create_collection` does."""
        if not isinstance(schema, pa.Schema):
            raise InvalidArgumentError(f"schema is a pyarrow.Schema; got={type(schema).__name__}")
        with _filling_in():
            request = drift_pb2.CreateCollectionRequest(
                collection=name, schema=encode_schema(schema), vector=vector, key=key, metric=metric, dim=dim
            )
        self._call("CreateCollection", request, drift_pb2.CreateCollectionResponse)

    def insert(self, name: str, data: Any, *, upsert: bool = False) -> int:
        """Add one atomic batch, durable on return.

        Parameters
        ----------
        name : str
            An existing collection.
        data : pa.Table, pa.RecordBatch, or anything with `__arrow_c_stream__`
            At most 16 MiB; larger data takes several calls.
        upsert : bool
            Replace rows whose key exists.

        Returns
        -------
        int
            Rows of the batch.
        """
        table = encode_table(_as_table(data))
        with _filling_in():
            request = drift_pb2.InsertRequest(collection=name, table=table, upsert=upsert)
        return int(self._call("Insert", request, drift_pb2.InsertResponse).rows)

    def search(
        self,
        name: str,
        query: ArrayLike,
        *,
        k: int | None = None,
        where: str | None = None,
        select: Sequence[str] | None = None,
        exact: bool = False,
    ) -> pa.Table:
        """The nearest rows with `_distance`, and with `query_index` for a batch.

        Parameters
        ----------
        name : str
            An existing collection.
        query : array-like
            (dim,), or (n, dim) for a batch.
        k : int, optional
            Rows per query; 10 if left out.
        where : str, optional
            SQL condition that rows must meet before they are ranked.
        select : sequence of str, optional
            Columns to return; all but the vector if left out.
        exact : bool
            Compare with every row.
        """
        with _filling_in():
            request = drift_pb2.SearchRequest(collection=name, k=k, where=where, exact=exact)
            if select is not None:
                names = [select] if isinstance(select, str) else select
                request.select.CopyFrom(drift_pb2.Columns(names=names))
        put_vectors(request, query)
        return decode_table(self._call("Search", request, drift_pb2.SearchResponse).table)

    def health(self) -> str:
        """The version of drift_arrow that the server runs; raises if it does not answer."""
        return str(self._call("Health", drift_pb2.HealthRequest(), drift_pb2.HealthResponse).version)

    def _call(self, method: str, request: Any, response: type[Any]) -> Any:
        size = request.ByteSize()
        if size > MAX_MESSAGE_BYTES:
            raise LimitExceededError(
                f"the request is too large: send fewer rows; size_bytes={size} limit_bytes={MAX_MESSAGE_BYTES}"
            )
        call: Any = self._channel.unary_unary(
            f"/{SERVICE_NAME}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        try:
            return call(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise error_of(error) from error
        except ValueError as error:
            # what grpc says of a channel that was closed, perhaps by another thread at this moment
            raise ClosedError(f"the client is closed: make another; address={self._address!r}") from error


@contextmanager
def _filling_in() -> Iterator[None]:
    """What protobuf says of a value that a field of a request cannot hold, as our error."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"an argument has the wrong type, or is out of range: {error}") from error


def _as_table(data: Any) -> pa.Table:
    try:
        return data if isinstance(data, pa.Table) else pa.table(data)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise InvalidArgumentError(
            f"expected an Arrow table, or an object with __arrow_c_stream__; got={type(data).__name__}"
        ) from error
