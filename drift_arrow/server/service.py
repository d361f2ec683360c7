"""The methods of DriftService: requests in, engine calls in a thread, responses out."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import grpc

from drift_arrow.errors import DriftError, LimitExceededError
from drift_arrow.options import DEFAULT_K
from drift_arrow.server import drift_pb2
from drift_arrow.server.limits import DEFAULT_DEADLINE_S, MAX_ERROR_CHARS, MAX_MESSAGE_BYTES, SERVICE_NAME
from drift_arrow.server.status import DETAIL_KEY, code_of, detail_of
from drift_arrow.server.tables import decode_schema, decode_table, encode_table
from drift_arrow.server.vectors import get_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from drift_arrow.server.manager import CollectionManager

Request = TypeVar("Request")
Response = TypeVar("Response")

LATE: Final = "the deadline passed; a write may still happen: read before repeating it"

log: Final = logging.getLogger(__name__)


class DriftService:
    """Answers calls out of a `CollectionManager`.

    Parameters
    ----------
    manager : CollectionManager
    executor : Executor
        Runs the engine calls, which block; its size bounds how many run at once.
    version : str
        What Health reports.
    """

    def __init__(self, manager: CollectionManager, executor: Executor, version: str) -> None:
        self._manager = manager
        self._executor = executor
        self._version = version

    def handler(self) -> grpc.GenericRpcHandler[Any, Any]:
        """The table of methods for `grpc.aio.Server.add_generic_rpc_handlers`."""
        methods = {
            "CreateCollection": _unary(self._in_thread(self.create_collection), drift_pb2.CreateCollectionRequest),
            "Insert": _unary(self._in_thread(self.insert), drift_pb2.InsertRequest),
            "Search": _unary(self._in_thread(self.search), drift_pb2.SearchRequest),
            "Health": _unary(self.health, drift_pb2.HealthRequest),
        }
        return grpc.method_handlers_generic_handler(SERVICE_NAME, methods)

    def create_collection(self, request: drift_pb2.CreateCollectionRequest) -> drift_pb2.CreateCollectionResponse:
        """Make an empty collection."""
        self._manager.create(
            request.collection,
            schema=decode_schema(request.schema),
            vector=request.vector,
            key=request.key,
            metric=request.metric or "l2",
            dim=request.dim if request.HasField("dim") else None,
        )
        return drift_pb2.CreateCollectionResponse()

    def insert(self, request: drift_pb2.InsertRequest) -> drift_pb2.InsertResponse:
        """Add or upsert one atomic batch, durable on return."""
        table = decode_table(request.table)
        collection = self._manager.get(request.collection)
        rows = collection.upsert(table) if request.upsert else collection.add(table)
        return drift_pb2.InsertResponse(rows=rows)

    def search(self, request: drift_pb2.SearchRequest) -> drift_pb2.SearchResponse:
        """The nearest rows as an IPC stream."""
        vectors = get_vectors(request)
        found = self._manager.get(request.collection).search(vectors)
        found = found.limit(request.k if request.HasField("k") else DEFAULT_K)
        if request.HasField("where"):
            found = found.where(request.where)
        if request.HasField("select"):
            found = found.select(list(request.select.names))
        table = encode_table((found.exact() if request.exact else found).to_arrow())
        if len(table) > MAX_MESSAGE_BYTES - MAX_ERROR_CHARS:
            raise LimitExceededError(
                f"the answer is too large: ask for fewer rows or columns; limit_bytes={MAX_MESSAGE_BYTES}"
            )
        return drift_pb2.SearchResponse(table=table)

    async def health(self, _: drift_pb2.HealthRequest, context: Any) -> drift_pb2.HealthResponse:
        """Answers from the event loop, so also while every worker is busy."""
        del context
        return drift_pb2.HealthResponse(status=drift_pb2.HealthResponse.SERVING, version=self._version)

    def _in_thread(self, method: Callable[[Request], Response]) -> Callable[[Request, Any], Any]:
        async def call(request: Request, context: Any) -> Response:
            running = asyncio.get_running_loop().run_in_executor(self._executor, method, request)
            try:
                return await asyncio.wait_for(running, context.time_remaining() or DEFAULT_DEADLINE_S)
            except TimeoutError:
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, LATE)
            except DriftError as error:
                await _abort(context, error)
            except Exception:
                # One bad call must not end the server, nor show a client its insides.
                number = uuid.uuid4().hex
                log.exception("unexpected error; id=%s", number)
                message = f"unexpected error; the log of the server has more; id={number}"
                await context.abort(grpc.StatusCode.INTERNAL, message)
            raise AssertionError  # abort() never returns

        return call


def _unary(call: Callable[..., Any], request: type[Any]) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=request.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


async def _abort(context: Any, error: DriftError) -> NoReturn:
    detail = detail_of(error)
    await context.abort(code_of(error), detail.message, ((DETAIL_KEY, detail.SerializeToString()),))
    raise AssertionError  # abort() never returns
