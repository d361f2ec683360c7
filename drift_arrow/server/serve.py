"""Run DriftService on a loopback port until a signal ends it."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import grpc

import drift_arrow
from drift_arrow.errors import InvalidArgumentError, StorageError
from drift_arrow.server.limits import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    MAX_CONCURRENT_CALLS,
    MAX_MESSAGE_BYTES,
    MAX_METADATA_BYTES,
    STOP_GRACE_S,
    WORKER_THREADS,
)
from drift_arrow.server.manager import CollectionManager
from drift_arrow.server.service import DriftService

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

_OPTIONS: Final = (
    # With SO_REUSEPORT two servers would share one port in silence, each answering half of the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.max_concurrent_streams", MAX_CONCURRENT_CALLS),
)


class DriftServer:
    """A server on one port, as an asynchronous context manager that stops gracefully.

    Parameters
    ----------
    root : str
        The database, as `drift_arrow.connect` takes it.
    host : str
        A loopback address: there is no TLS and no authentication.
    port : int
        0 takes a free one; `address` tells which.

    Raises
    ------
    InvalidArgumentError
        The host is not a loopback address.
    StorageError
        The root or the port cannot be had.
    """

    def __init__(self, root: str, *, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
        self._host = check_loopback(host)
        self._port = port
        self._root = root
        self.address = ""

    async def __aenter__(self) -> Self:
        self._manager = CollectionManager(self._root)
        self._executor = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="drift-call")
        service = DriftService(self._manager, self._executor, drift_arrow.__version__)
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
        self._server.add_generic_rpc_handlers((service.handler(),))
        try:
            bound = self._server.add_insecure_port(f"{self._host}:{self._port}")
        except RuntimeError as error:
            self._close_engine()
            raise StorageError(f"cannot listen: is the port taken? host={self._host!r} port={self._port}") from error
        await self._server.start()
        self.address = f"{self._host}:{bound}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Calls first, threads next, collections last: each needs what follows it.
        await self._server.stop(STOP_GRACE_S)
        await asyncio.to_thread(self._close_engine)

    def _close_engine(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._manager.close()


def check_loopback(host: str) -> str:
    """The host as gRPC writes it, if nothing but this machine can reach it.

    Raises
    ------
    InvalidArgumentError
        Another address, or a name other than `localhost`.
    """
    if host == "localhost":
        return host
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise InvalidArgumentError(
            "only a loopback host is served, since there is no TLS and no authentication yet: "
            f"use 127.0.0.1, ::1 or localhost; host={host!r}"
        )
    return f"[{address}]" if address.version == 6 else str(address)


def run_server(
    root: str, *, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, announce: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM, then let running calls end and close every collection.

    Parameters
    ----------
    root : str
        The database, as `drift_arrow.connect` takes it.
    host, port : str, int
        As `DriftServer` takes them.
    announce : callable
        Called with the address once calls are answered.

    Raises
    ------
    InvalidArgumentError
        The host is not a loopback address.
    StorageError
        The root or the port cannot be had.
    """
    asyncio.run(_serve(DriftServer(root, host=host, port=port), announce))


async def _serve(server: DriftServer, announce: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with server:
        announce(server.address)
        await stopped.wait()
