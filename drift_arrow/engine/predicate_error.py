"""How the libraries that evaluate conditions say that they cannot."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow as pa

from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARY_ERRORS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, TypeError)
"""What Polars and pyarrow raise for an expression that they cannot evaluate."""


@contextlib.contextmanager
def evaluating() -> Iterator[None]:
    """Turn errors of the libraries into InvalidArgumentError."""
    try:
        yield
    except LIBRARY_ERRORS as error:
        reason = str(error).split("\n", 1)[0]
        message = f"where cannot be evaluated: {reason}"
        raise InvalidArgumentError(message) from error
