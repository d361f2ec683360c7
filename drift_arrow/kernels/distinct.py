"""Distinct values of a column: how many a sample tells of, and the number of each value among them."""

from __future__ import annotations

from math import exp
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import bit_length

_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: a product with it has well mixed upper bits."""

_SLOTS_OF_ENTRY: Final = 4
"""Of a hash table, at least: so few collide that most look-ups end at the first slot."""

_FIRST_BITS: Final = 10
_GROWTH_BITS: Final = 2
"""Of the number of slots: a table of few values stays in the fastest cache."""

_EMPTY: Final = -1


class Dictionary(NamedTuple):
    """Distinct values of a column in rising order, and the number of each value among them."""

    entries: NDArray[Any]
    codes: NDArray[Any]


class Survey(NamedTuple):
    """What a sample says of a column.

    size, distinct, once, twice : int
        Values of the sample, distinct ones, and those of them that it holds once and twice.
    changes : int
        Values that differ from the one before them in the sample.
    """

    size: int
    distinct: int
    once: int
    twice: int
    changes: int

    def expected(self, n: int) -> float:
        """Distinct values of the whole column of `n`.

        Those that occur once or twice tell how many have not been seen (Chao, 1984), and how many of these the rest of
        the column will show (Chao et al., 2009).
        """
        unseen = self.once * (self.once - 1) / (2 * self.twice + 2)
        if not unseen:
            return self.distinct
        return self.distinct + unseen * (1 - exp(-(n - self.size) * self.once / (self.size * unseen)))


@kernel(inner=True)
def _first_slot(value: Any, shift: Any) -> Any:
    return (np.uint64(value) * _SPREAD) >> shift


@kernel
def _survey(values: Any, length: Any, step: Any, keys: Any, counts: Any) -> Any:
    """Distinct values, those that occur once and twice, changes, and size of a sample.

    length, step : int64     of the runs that the sample is made of, and from one to the next
    keys : like values, counts : (s,) uint8, all 0     hash table, s a power of two; counts end at 3
    """
    last_slot = np.uint64(counts.size - 1)
    shift = np.uint64(64 - bit_length(last_slot))
    distinct = once = twice = changes = size = np.int64(0)
    before = values[0]
    for start in range(0, values.size - length + 1, step):
        for i in range(start, start + length):
            value = values[np.uint64(i)]
            changes += value != before
            before = value
            slot = _first_slot(value, shift)
            while counts[slot] != 0 and keys[slot] != value:
                slot = (slot + np.uint64(1)) & last_slot
            count = counts[slot]
            keys[slot] = value
            counts[slot] = min(count + 1, 3)
            distinct += count == 0
            once += np.int64(count == 0) - np.int64(count == 1)
            twice += np.int64(count == 1) - np.int64(count == 2)
        size += length
    return size, distinct, once, twice, changes


def _spread(n: int, runs: int, length: int) -> tuple[int, int, int]:
    """Number and length of the runs of a sample of `n` values, and how far they are apart."""
    if runs * length >= n:
        runs, length = 1, n
    return runs, length, max((n - length) // max(runs - 1, 1), length) | 1


def survey(values: NDArray[Any], runs: int, length: int) -> Survey:
    """Look at runs of values from all over a column.

    Parameters
    ----------
    values : (n,) unsigned
        At least one.
    runs, length : int
        How many runs, and how long; a column of no more values is looked at as a whole.

    Returns
    -------
    Survey

    Raises
    ------
    ValueError    not contiguous

    Notes
    -----
    O(runs * length). Runs are an odd number of values apart, which meets all columns of a table stored row by row.
    """
    runs, length, step = _spread(values.size, runs, length)
    slots = _SLOTS_OF_ENTRY << (runs * length - 1).bit_length()
    values = readonly("values", values, values.dtype, None)
    found = _survey(values, length, step, np.empty(slots, values.dtype), np.zeros(slots, np.uint8))
    return Survey(*map(int, found))


@kernel
def _count_changes(values: Any, length: Any, step: Any) -> Any:
    size = changes = np.int64(0)
    before = values[0]
    for start in range(0, values.size - length + 1, step):
        for i in range(start, start + length):
            value = values[np.uint64(i)]
            changes += value != before
            before = value
        size += length
    return size, changes


def count_changes(values: NDArray[Any], runs: int, length: int) -> tuple[int, int]:
    """Size of the sample that `survey` takes, and its values that differ from the one before: in a part of the time."""
    runs, length, step = _spread(values.size, runs, length)
    size, changes = _count_changes(readonly("values", values, values.dtype, None), length, step)
    return int(size), int(changes)


@kernel(inner=True)
def _find(value: Any, shift: Any, last_slot: Any, keys: Any, numbers: Any) -> Any:
    """Slot of a value, or the empty one where it belongs."""
    slot = _first_slot(value, shift)
    while numbers[slot] >= 0 and keys[slot] != value:
        slot = (slot + np.uint64(1)) & last_slot
    return slot


@kernel(inner=True)
def _fill_table(entries: Any, count: Any, bits: Any, keys: Any, numbers: Any) -> None:
    """Make the first 2**bits slots a table of some entries."""
    last_slot, shift = (np.uint64(1) << np.uint64(bits)) - np.uint64(1), np.uint64(64 - bits)
    numbers[: 1 << bits] = _EMPTY
    for number in range(count):
        slot = _find(entries[number], shift, last_slot, keys, numbers)
        keys[slot], numbers[slot] = entries[number], number


@kernel
def _number_values(values: Any, keys: Any, numbers: Any, entries: Any, codes: Any) -> Any:
    """Number the values in order of appearance; how many are distinct, or -1 if `entries` does not hold them, and bits.

    keys : like values, numbers : (2**b,) int32, of any content     room of a hash table; 2**bits slots are used
    """
    most_bits = bit_length(np.uint64(numbers.size - 1))
    bits, count = min(np.int64(_FIRST_BITS), most_bits), np.int64(0)
    _fill_table(entries, count, bits, keys, numbers)
    last_slot, shift = (np.uint64(1) << np.uint64(bits)) - np.uint64(1), np.uint64(64 - bits)
    for i in range(np.uint64(values.size)):
        # an index without a sign, which numba need not test for a negative one
        value = values[np.uint64(i)]
        slot = _find(value, shift, last_slot, keys, numbers)
        number = numbers[slot]
        if number < 0:
            if count == entries.size:
                return np.int64(-1), bits
            number = np.int32(count)
            entries[count], keys[slot], numbers[slot] = value, value, number
            count += 1
            if count * _SLOTS_OF_ENTRY > np.int64(last_slot) and bits < most_bits:
                bits = min(bits + _GROWTH_BITS, most_bits)
                _fill_table(entries, count, bits, keys, numbers)
                last_slot, shift = (np.uint64(1) << np.uint64(bits)) - np.uint64(1), np.uint64(64 - bits)
        codes[np.uint64(i)] = number
    return count, bits


@kernel
def _renumber(ordered: Any, bits: Any, keys: Any, numbers: Any, ranks: Any, codes: Any) -> None:
    """Replace the number of each value by its rank in `ordered`. ranks : (k,) like codes, scratch."""
    last_slot, shift = (np.uint64(1) << np.uint64(bits)) - np.uint64(1), np.uint64(64 - bits)
    for rank in range(ordered.size):
        ranks[numbers[_find(ordered[rank], shift, last_slot, keys, numbers)]] = rank
    for i in range(np.uint64(codes.size)):
        codes[np.uint64(i)] = ranks[np.uint64(codes[np.uint64(i)])]


def number_distinct(values: NDArray[Any], flip: Any, most: int, dtype: Any = np.uint16) -> Dictionary | None:
    """Dictionary of all values of a column, or None if too many of them are distinct.

    Parameters
    ----------
    values : (n,) unsigned
    flip : scalar of the same type
        Bits to invert so that the unsigned order of the values becomes the order of what they stand for.
    most : int
        Distinct values that there may be, at least 1, and no more than `dtype` can number.
    dtype : uint16 or uint32
        Of the codes.

    Returns
    -------
    Dictionary or None

    Raises
    ------
    ValueError    values are not contiguous

    Notes
    -----
    O(n + most log most), without the GIL but for sorting the entries.
    """
    values = readonly("values", values, values.dtype, None)
    slots = _SLOTS_OF_ENTRY << most.bit_length()
    keys, numbers = np.empty(slots, values.dtype), np.empty(slots, np.int32)
    entries, codes = np.empty(most, values.dtype), np.empty(values.size, dtype)
    count, bits = _number_values(values, keys, numbers, entries, codes)
    if count < 0:
        return None
    ordered = np.sort(entries[:count] ^ flip) ^ flip
    _renumber(ordered, bits, keys, numbers, np.empty(count, dtype), codes)
    return Dictionary(ordered, codes)
