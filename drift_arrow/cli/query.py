"""The query of `drift-cli search`: a JSON list, a file of NumPy vectors, or a row that exists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from drift_arrow.errors import InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    import numpy as np

    from drift_arrow import Collection


def read_query(text: str) -> np.ndarray:
    """Vectors from `[0.1, ...]`, `[[...], ...]` or `@vectors.npy`.

    Returns
    -------
    np.ndarray
        (dim,) or (n, dim) float32.

    Raises
    ------
    typer.BadParameter
        Not a list of numbers, or not one or two dimensional.
    NotFoundError
        No such file.
    InvalidArgumentError
        The file is not an .npy of numbers.
    """
    values = _load_npy(text[1:]) if text.startswith("@") else _parse_json(text)
    if values.ndim not in {1, 2}:
        raise typer.BadParameter(
            f"a query is a list of numbers, or a list of such lists; dimensions={values.ndim}", param_hint="QUERY"
        )
    return values


def vector_of(collection: Collection, key_text: str) -> np.ndarray:
    """The vector of the row with this key, (dim,) float32.

    Raises
    ------
    NotFoundError
        No row has this key.
    InvalidArgumentError
        The key column holds integers and this is none.
    """
    import numpy as np
    import pyarrow as pa

    key_type = collection.schema.field(collection.key).type
    key = _parse_integer(key_text) if pa.types.is_integer(key_type) else key_text
    rows = collection.get([key], columns=[collection.vector])
    if rows.num_rows == 0:
        raise NotFoundError(f"no row has this key; {collection.key}={key!r}")
    return np.asarray(rows.column(collection.vector)[0].as_py(), dtype=np.float32)


def _parse_json(text: str) -> np.ndarray:
    import numpy as np

    try:
        # what is beyond float32 is infinite, and refused as such
        with np.errstate(over="ignore"):
            return np.asarray(json.loads(text), dtype=np.float32)
    except (ValueError, TypeError, RecursionError) as error:
        raise typer.BadParameter(
            "expected a JSON list of numbers such as '[0.1, 0.2]', or @file.npy", param_hint="QUERY"
        ) from error


def _load_npy(path: str) -> np.ndarray:
    import numpy as np

    try:
        # allow_pickle stays off: a pickle runs code.
        values = np.load(path, allow_pickle=False)
        return np.asarray(values, dtype=np.float32)
    except OSError as error:
        raise NotFoundError(f"the query file cannot be read: {error.strerror or error}; path={path!r}") from error
    except (ValueError, TypeError, EOFError) as error:
        raise InvalidArgumentError(f"the query file must be an .npy array of numbers; path={path!r}") from error


def _parse_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InvalidArgumentError(f"the keys are integers; key={text!r}") from error
