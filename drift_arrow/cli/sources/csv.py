"""Rows of a CSV file, its vectors written as JSON lists or spread over one column per dimension."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv

from drift_arrow.cli.sources.csv_vectors import VectorColumns
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES: Final = 16 << 20
"""Bytes read at once. It also bounds the length of a line, and a vector of 65,536 numbers takes about a megabyte."""


class CsvSource:
    """Streams a CSV file with a header line.

    Parameters
    ----------
    file : binary file
        At its start, seekable.
    vector : str
        Column of JSON lists, or the name that one column per dimension has: `v, v, v`, `v0, v1, v2` or `v_1, v_2, v_3`.
    target : pa.Schema or None
        Types of the columns; without it Arrow guesses them from the first block.
    is_tabbed : bool
        Values are separated by tabs instead of commas.
    """

    def __init__(self, file: Any, *, vector: str, target: pa.Schema | None, is_tabbed: bool) -> None:
        delimiter = "\t" if is_tabbed else ","
        self._vectors = VectorColumns.find(_read_header(file, delimiter), vector)
        types = {} if target is None else {field.name: _csv_type(field.type) for field in target}
        self._reader = pa_csv.open_csv(
            file,
            read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=pa_csv.ConvertOptions(column_types=types | self._vectors.csv_types()),
        )

    @property
    def schema(self) -> pa.Schema:
        """Columns of the file, those of the vector joined into one list column."""
        return self._vectors.join(pa.RecordBatch.from_pylist([], schema=self._reader.schema)).schema

    @property
    def original_schema(self) -> pa.Schema:
        """The same: text has no types of its own."""
        return self.schema

    @property
    def n_rows(self) -> None:
        """Unknown: only reading the file would tell."""

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The blocks of the file, cut into batches of at most `rows` rows."""
        for block in self._reader:
            batch = self._vectors.join(block)
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)

    def close(self) -> None:
        """Stop reading ahead, so that the file may be closed."""
        self._reader.close()


def _read_header(file: Any, delimiter: str) -> list[str]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        return next(csv.reader(text, delimiter=delimiter))
    except (StopIteration, UnicodeDecodeError, csv.Error) as error:
        raise InvalidArgumentError("a CSV file starts with a line of UTF-8 column names") from error
    finally:
        text.detach()
        file.seek(0)


def _csv_type(wanted: pa.DataType) -> pa.DataType:
    """The nearest type that Arrow's CSV reader can produce; the rest is cast, or refused, later."""
    if pa.types.is_float16(wanted):
        return pa.float32()
    if pa.types.is_nested(wanted) or pa.types.is_string_view(wanted) or pa.types.is_binary_view(wanted):
        return pa.string()
    return wanted
