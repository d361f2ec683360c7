"""Errors of drift_arrow as gRPC status codes, and back."""

from __future__ import annotations

from typing import Any, Final

import grpc

from drift_arrow import errors
from drift_arrow.errors import CorruptionError, DriftError, LimitExceededError, StorageError
from drift_arrow.server.drift_pb2 import ErrorDetail
from drift_arrow.server.limits import MAX_ERROR_CHARS

DETAIL_KEY: Final = "drift-error-bin"

# The first class that matches decides, so a subclass stands before its base.
_CODES: Final[tuple[tuple[type[DriftError], grpc.StatusCode], ...]] = (
    (errors.InvalidArgumentError, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFoundError, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExistsError, grpc.StatusCode.ALREADY_EXISTS),
    (errors.LimitExceededError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.UnsupportedFormatError, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.CorruptionError, grpc.StatusCode.DATA_LOSS),
    (errors.CommitConflictError, grpc.StatusCode.ABORTED),
    (errors.LockedError, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.ClosedError, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.FencedError, grpc.StatusCode.ABORTED),
    (errors.PoisonedError, grpc.StatusCode.FAILED_PRECONDITION),
    # Not UNAVAILABLE, which tells clients to repeat the call: a failed write may have been written.
    (errors.StorageError, grpc.StatusCode.INTERNAL),
    (errors.DriftError, grpc.StatusCode.INTERNAL),
)

_FALLBACKS: Final[dict[grpc.StatusCode, tuple[type[DriftError], str]]] = {
    grpc.StatusCode.UNAVAILABLE: (StorageError, "the server cannot be reached, or went away before it answered"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        StorageError,
        "no answer in time; a write may have happened: read before repeating",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (LimitExceededError, "the server refused the size or number of calls"),
}


def code_of(error: DriftError) -> grpc.StatusCode:
    """The status code that tells a client of any language how to act."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


def detail_of(error: DriftError) -> ErrorDetail:
    """What a Python client needs to raise the same error."""
    detail = ErrorDetail(kind=type(error).__name__, message=str(error)[:MAX_ERROR_CHARS])
    if isinstance(error, CorruptionError):
        location = f"; path={error.path!r} offset={error.offset}"
        detail.message = str(error).removesuffix(location)[:MAX_ERROR_CHARS]
        detail.path, detail.offset = error.path, error.offset
    return detail


def error_of(failure: Any) -> DriftError:
    """The error that a failed call stands for.

    Parameters
    ----------
    failure : grpc.RpcError
        As a call raises it, with `code`, `details` and `trailing_metadata`.
    """
    for key, value in failure.trailing_metadata() or ():
        if key == DETAIL_KEY:
            return _from_detail(ErrorDetail.FromString(value))
    kind, meaning = _FALLBACKS.get(failure.code(), (DriftError, "the call failed"))
    return kind(f"{meaning}: {failure.details()}; code={failure.code().name}")


def _from_detail(detail: ErrorDetail) -> DriftError:
    if detail.kind == "CorruptionError":
        return CorruptionError(detail.message, path=detail.path, offset=detail.offset)
    kind = next((kind for kind, _ in _CODES if kind.__name__ == detail.kind), DriftError)
    return kind(detail.message)
