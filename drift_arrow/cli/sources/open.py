"""Choose the reader of a file by its name, and keep foreign exceptions of reading it below."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from drift_arrow.cli.sources.files import opened_file
from drift_arrow.errors import InvalidArgumentError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from drift_arrow.cli.sources.source import Source

_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")


@contextmanager
def open_source(url: str, *, vector: str, target: pa.Schema | None = None) -> Iterator[Source]:
    """The rows of a Parquet, Arrow IPC (Feather) or CSV file.

    Parameters
    ----------
    url : str
        A path, or any URL that fsspec knows. The suffix decides about the format.
    vector : str
        Name of the vector column, which a CSV file may spread over several columns.
    target : pa.Schema, optional
        Types that the columns of a CSV file have; without it they are guessed from its first rows.

    Raises
    ------
    NotFoundError
        No such file.
    InvalidArgumentError
        Unknown suffix, or the file is not what its suffix says.
    StorageError
        Reading failed.
    """
    import pyarrow as pa

    with opened_file(url) as file:
        try:
            with closing(_reader(url, file, vector, target)) as source:
                yield source
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, pa.ArrowKeyError) as error:
            raise InvalidArgumentError(f"cannot read the file: {error}; path={url!r}") from error
        except StorageError:
            raise
        except OSError as error:
            raise StorageError(f"reading failed: {error}; path={url!r}") from error


def _reader(url: str, file: object, vector: str, target: pa.Schema | None) -> Source:
    match _suffix(url):
        case ".parquet" | ".pq":
            from drift_arrow.cli.sources.parquet import ParquetSource

            return ParquetSource(file)
        case ".arrow" | ".feather" | ".ipc" | ".arrows":
            from drift_arrow.cli.sources.ipc import IpcSource

            return IpcSource(file)
        case ".csv" | ".tsv":
            from drift_arrow.cli.sources.csv import CsvSource

            return CsvSource(file, vector=vector, target=target, is_tabbed=_suffix(url) == ".tsv")
        case suffix:
            raise InvalidArgumentError(
                f"expected a file of type .parquet, .arrow, .feather or .csv; suffix={suffix!r} path={url!r}"
            )


def _suffix(url: str) -> str:
    name = url.rpartition("/")[2].lower()
    for compression in _COMPRESSIONS:
        name = name.removesuffix(compression)
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem or dot else ""
