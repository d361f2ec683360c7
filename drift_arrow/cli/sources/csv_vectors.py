"""The vector of a CSV row, out of one JSON list or out of one column per dimension."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.errors import InvalidArgumentError

LIST_MARKS: Final = "[] \t"


@dataclass(frozen=True, slots=True)
class VectorColumns:
    """Where the vector of a CSV file is.

    Parameters
    ----------
    name : str
        The vector column to make.
    names : tuple of str
        The distinct columns it is made from.
    positions : tuple of int
        Positions in the header of every column it is made from, first dimension first; a single one holds lists.
    """

    name: str
    names: tuple[str, ...]
    positions: tuple[int, ...]

    @classmethod
    def find(cls, header: list[str], vector: str) -> VectorColumns:
        """The columns called `vector`, or else those called `vector` and a number.

        Raises
        ------
        InvalidArgumentError
            There are none, or their numbers have a gap.
        """
        same = [position for position, name in enumerate(header) if name == vector]
        if same:
            return cls(vector, (vector,), tuple(same))
        pattern = re.compile(re.escape(vector) + r"[_.\-]?\[?(\d+)\]?")
        matches = [(position, pattern.fullmatch(name)) for position, name in enumerate(header)]
        numbered = sorted((int(match[1]), position) for position, match in matches if match)
        if not numbered:
            raise InvalidArgumentError(f"the file has no column for the vector; vector={vector!r} columns={header}")
        numbers = [number for number, _ in numbered]
        if numbers[0] > 1 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise InvalidArgumentError(
                f"columns of a vector are numbered from 0 or 1 without a gap; vector={vector!r} numbers={numbers}"
            )
        positions = tuple(position for _, position in numbered)
        return cls(vector, tuple(header[position] for position in positions), positions)

    @property
    def holds_lists(self) -> bool:
        """Whether one column holds whole vectors as text."""
        return len(self.positions) == 1 and self.names == (self.name,)

    def csv_types(self) -> dict[str, pa.DataType]:
        """Types that the CSV reader should give the columns."""
        wanted = pa.string() if self.holds_lists else pa.float32()
        return dict.fromkeys(self.names, wanted)

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with one list column, in the place of the first of the columns it was made from."""
        columns = [batch.column(position) for position in self.positions]
        vectors = parse_lists(columns[0]) if self.holds_lists else stack(columns)
        first = min(self.positions)
        kept = [position for position in range(batch.num_columns) if position not in set(self.positions)]
        before = [position for position in kept if position < first]
        after = [position for position in kept if position > first]
        arrays = [*map(batch.column, before), vectors, *map(batch.column, after)]
        names = batch.schema.names
        return pa.RecordBatch.from_arrays(
            arrays, [*(names[position] for position in before), self.name, *(names[position] for position in after)]
        )


def stack(columns: list[pa.Array]) -> pa.FixedSizeListArray:
    """One float32 list per row out of one column per dimension; an empty cell becomes NaN, which `add` refuses."""
    matrix = np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns])
    values = pa.array(matrix.astype(np.float32, copy=False).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(values, len(columns))


def parse_lists(column: pa.StringArray) -> pa.ListArray:
    """Text such as `[0.5, 1e-3]` as float32 lists, without a Python loop; null stays null.

    Raises
    ------
    InvalidArgumentError
        A value is not a list of numbers.
    """
    pieces = pc.split_pattern(pc.utf8_trim(column, LIST_MARKS), ",")
    try:
        values = pc.cast(pc.utf8_trim_whitespace(pieces.flatten()), pa.float32())
    except pa.ArrowInvalid as error:
        raise InvalidArgumentError(f"vectors are JSON lists such as [0.5, 1.0]: {error}") from error
    lengths = pc.fill_null(pieces.value_lengths(), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, values, mask=pieces.is_null())
