"""DriftService over gRPC: collections for other processes on this machine.

Nothing here is imported by `import drift_arrow`, and grpc only when one of these names is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from drift_arrow.server.client import DriftClient
    from drift_arrow.server.manager import CollectionManager
    from drift_arrow.server.serve import DriftServer, run_server

__all__ = ["CollectionManager", "DriftClient", "DriftServer", "run_server"]

_MODULES: Final = {
    "CollectionManager": "drift_arrow.server.manager",
    "DriftClient": "drift_arrow.server.client",
    "DriftServer": "drift_arrow.server.serve",
    "run_server": "drift_arrow.server.serve",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_MODULES[name]), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"grpc", "google"}:
            raise
        raise InvalidArgumentError(
            f'the server and its client need grpcio and protobuf: pip install "drift_arrow[server]"; name={name!r}'
        ) from error
