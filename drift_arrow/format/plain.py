"""The plain form of Arrow arrays: one that Arrow can slice, concatenate and take, for every type it stands for.

Arrow has no `take` for views and run-end encoding, and a slice of a view or list view writes the whole of its buffers.
So columns are stored and moved in a form without them, and brought back to the type of the schema at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError, LimitExceededError

_INT_WITH_ROOM = pa.int32()


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the plain form of `kind`, at every level of nesting; `kind` itself if it is plain already.

    Views become large strings and binaries, list views lists, run-end encoded values plain ones. Dictionary indices of
    8 and 16 bits become 32, so that the dictionaries of several blocks fit together. An extension type whose storage is
    not plain becomes its storage.
    """
    if isinstance(kind, pa.BaseExtensionType):
        storage = plain_type(kind.storage_type)
        return kind if storage == kind.storage_type else storage
    if pt.is_string_view(kind):
        return pa.large_string()
    if pt.is_binary_view(kind):
        return pa.large_binary()
    if pt.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pt.is_dictionary(kind):
        index = _INT_WITH_ROOM if kind.index_type.bit_width < _INT_WITH_ROOM.bit_width else kind.index_type
        return pa.dictionary(index, plain_type(kind.value_type), kind.ordered)
    return _plain_nested_type(kind)


def to_plain(array: pa.Array) -> pa.Array:
    """`array` in its plain form; no copy if it is plain already. Only the rows of a slice are converted."""
    return _convert(array, plain_type(array.type))


def from_plain(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Bring an array in plain form back to the type `kind` that it stands for.

    Raises
    ------
    LimitExceededError
        The rows have more distinct values than the dictionary index type of `kind` can number.
    """
    return _convert(array, kind)


def compact_dictionary(array: pa.DictionaryArray) -> pa.DictionaryArray:
    """`array` with only those dictionary values that its rows use, in their order; unchanged if it is ordered."""
    # The order of an ordered dictionary is data, and survives only if every array holds all of it.
    if array.type.ordered:
        return array
    used = np.unique(array.indices.drop_null().to_numpy())
    if len(used) == len(array.dictionary):
        return array
    renumbered = np.searchsorted(used, array.indices.fill_null(0).to_numpy())
    nulls = array.indices.is_null().to_numpy(zero_copy_only=False)
    indices = pa.array(renumbered, type=array.type.index_type, mask=nulls)
    return pa.DictionaryArray.from_arrays(indices, array.dictionary.take(pa.array(used)))


def check_storable(field: pa.Field) -> None:
    """Raise InvalidArgumentError if Arrow cannot take rows of a column, even in its plain form."""
    try:
        pc.take(pa.nulls(1, plain_type(field.type)), pa.array([0]))
        from_plain(to_plain(pa.nulls(1, field.type)), field.type)
    except (pa.ArrowException, TypeError) as err:
        message = f"a column type cannot be stored: cast the column; column={field.name!r} type={field.type}"
        raise InvalidArgumentError(message) from err


def _plain_nested_type(kind: pa.DataType) -> pa.DataType:
    if pt.is_struct(kind):
        return pa.struct([_plain_field(kind.field(i)) for i in range(kind.num_fields)])
    if pt.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field), kind.keys_sorted)
    if pt.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pt.is_list(kind) or pt.is_list_view(kind):
        return pa.list_(_plain_field(kind.value_field))
    if pt.is_large_list(kind) or pt.is_large_list_view(kind):
        return pa.large_list(_plain_field(kind.value_field))
    return kind


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(plain_type(field.type))


def _convert(array: pa.Array, target: pa.DataType) -> pa.Array:
    """`array` as `target`, where one of the two types is the plain form of the other; one step per level of nesting."""
    source = array.type
    if source == target:
        return array
    if isinstance(source, pa.BaseExtensionType):
        return _convert(array.storage, target)
    if isinstance(target, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(target, _convert(array, target.storage_type))
    if pt.is_run_end_encoded(source):
        return _convert(_decode_runs(array), target)
    if pt.is_run_end_encoded(target):
        return _encode_runs(array, target)
    return _convert_children(array, target)


def _convert_children(array: pa.Array, target: pa.DataType) -> pa.Array:
    if pt.is_dictionary(target):
        return _convert_dictionary(array, target)
    if pt.is_struct(target):
        children = [_convert(array.field(i), target.field(i).type) for i in range(target.num_fields)]
        fields = [target.field(i) for i in range(target.num_fields)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=array.is_null())
    if pt.is_nested(target):
        return _convert_list(array, target)
    return array.cast(target)


def _decode_runs(array: pa.Array) -> pa.Array:
    # By way of a take of the values: Arrow cannot decode runs of views or nested values.
    ends = array.run_ends.to_numpy()
    rows = np.arange(array.offset, array.offset + len(array))
    runs = np.searchsorted(ends, rows, side="right")
    return pc.take(to_plain(array.values), pa.array(runs))


def _encode_runs(array: pa.Array, target: pa.DataType) -> pa.Array:
    runs = pc.run_end_encode(array, run_end_type=target.run_end_type)
    values = _convert(runs.values, target.value_type)
    return pa.RunEndEncodedArray.from_arrays(runs.run_ends, values, type=target)


def _convert_dictionary(array: pa.DictionaryArray, target: pa.DictionaryType) -> pa.DictionaryArray:
    if target.index_type.bit_width < array.type.index_type.bit_width:
        array = compact_dictionary(array)
    try:
        indices = array.indices.cast(target.index_type)
    except pa.ArrowInvalid as err:
        message = f"too many distinct values for the dictionary type: select fewer rows; type={target}"
        raise LimitExceededError(message) from err
    dictionary = _convert(array.dictionary, target.value_type)
    return pa.DictionaryArray.from_arrays(indices, dictionary, ordered=target.ordered)


def _convert_list(array: pa.Array, target: pa.DataType) -> pa.Array:
    nulls = array.is_null()
    if pt.is_fixed_size_list(target):
        size = target.list_size
        values = array.values.slice(array.offset * size, len(array) * size)
        return pa.FixedSizeListArray.from_arrays(_convert(values, target.value_type), type=target, mask=nulls)
    offsets, start, stop = _offsets(array)
    if pt.is_map(target):
        keys = _convert(array.keys.slice(start, stop - start), target.key_type)
        items = _convert(array.items.slice(start, stop - start), target.item_type)
        return pa.MapArray.from_arrays(offsets, keys, items, type=target, mask=nulls)
    is_view = pt.is_list_view(array.type) or pt.is_large_list_view(array.type)
    values = _convert(array.flatten() if is_view else array.values.slice(start, stop - start), target.value_type)
    if pt.is_list_view(target) or pt.is_large_list_view(target):
        kind: Any = pa.ListViewArray if pt.is_list_view(target) else pa.LargeListViewArray
        return kind.from_arrays(offsets[:-1], np.diff(offsets), values, type=target, mask=nulls)
    kind = pa.LargeListArray if pt.is_large_list(target) else pa.ListArray
    return kind.from_arrays(offsets, values, type=target, mask=nulls)


def _offsets(array: pa.Array) -> tuple[NDArray[np.signedinteger[Any]], int, int]:
    """Offsets of the rows of a slice, counted from its first value, and the range of values they point into."""
    if pt.is_list_view(array.type) or pt.is_large_list_view(array.type):
        lengths = pc.list_value_length(array).fill_null(0).to_numpy()
        offsets = np.concatenate([np.zeros(1, dtype=lengths.dtype), np.cumsum(lengths, dtype=lengths.dtype)])
        return offsets, 0, int(offsets[-1])
    offsets = array.offsets.to_numpy()
    return offsets - offsets[0], int(offsets[0]), int(offsets[-1])
