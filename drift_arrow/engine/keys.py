"""Key columns: checks, fingerprints, and the text of a key for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.kernels.keys import fingerprint_ints, fingerprint_strings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.spec import CollectionSpec


def fingerprint_keys(keys: pa.Array, spec: CollectionSpec) -> NDArray[np.uint64]:
    """(n, 2) uint64 fingerprints that stand for the keys of a column without nulls.

    Notes
    -----
    Integers are their own fingerprint. Strings take 128 bits of seeded XXH64: two of 10**9 distinct keys are equal with
    probability 1.5e-21, far below that of a memory error.
    """
    if pa.types.is_integer(keys.type):
        return fingerprint_ints(keys.to_numpy(zero_copy_only=True))
    offset_type: Any = np.int64 if pa.types.is_large_string(keys.type) else np.int32
    _, offsets_buffer, data_buffer = keys.buffers()
    if not len(keys):
        return np.empty((0, 2), dtype=np.uint64)
    offsets = np.frombuffer(offsets_buffer, dtype=offset_type)[keys.offset : keys.offset + len(keys) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.empty(0, dtype=np.uint8)
    return fingerprint_strings(offsets, data, spec.key_seed)


def as_keys(keys: Any, spec: CollectionSpec) -> pa.Array:
    """A key column of the collection's type from an Arrow array, a Polars Series, a NumPy array or a Python sequence.

    Raises
    ------
    InvalidArgumentError
        A null, or a value that is no key of this collection.
    """
    kind = spec.schema.field(spec.key).type
    if isinstance(keys, str | bytes) or not hasattr(keys, "__len__"):
        message = f"keys is a sequence of {kind}; got={type(keys).__name__}"
        raise InvalidArgumentError(message)
    try:
        array = pa.array(keys) if hasattr(keys, "__arrow_c_stream__") or isinstance(keys, np.ndarray) else keys
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        array = array.cast(kind) if isinstance(array, pa.Array) else pa.array(array, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        message = f"keys are not {kind}: {error}"
        raise InvalidArgumentError(message) from error
    check_not_null(array, spec.key)
    return array


def check_not_null(keys: pa.Array, name: str) -> None:
    """Raise InvalidArgumentError that names the first row without a key."""
    if keys.null_count:
        row = int(np.flatnonzero(np.asarray(keys.is_null()))[0])
        message = f"a key is null: give every row a key; column={name!r} row={row}"
        raise InvalidArgumentError(message)
