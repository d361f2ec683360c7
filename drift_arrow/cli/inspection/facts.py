"""Facts about segments: what a file says of itself, and sums over its blocks."""

from __future__ import annotations

import mmap
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drift_arrow.errors import NotFoundError, StorageError
from drift_arrow.format.layout import BlockType
from drift_arrow.format.segment_reader import SegmentReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drift_arrow.format.block_info import BlockInfo
    from drift_arrow.format.encoding import Encoding

_OF_COLUMNS = {BlockType.COLUMN, BlockType.VECTORS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sums over some blocks, in bytes without headers and padding."""

    n_blocks: int
    raw: int
    stored: int

    @property
    def ratio(self) -> float:
        """Stored bytes per raw byte; 1 where there are none."""
        return self.stored / self.raw if self.raw else 1.0

    @classmethod
    def of(cls, blocks: Iterable[BlockInfo]) -> Sizes:
        """The sums."""
        found = list(blocks)
        raw, stored = sum(block.raw_len for block in found), sum(block.stored_len for block in found)
        return cls(n_blocks=len(found), raw=raw, stored=stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One segment.

    Parameters
    ----------
    reader : SegmentReader
    path : str
    blocks : list of BlockInfo
        In the order of the file.
    """

    reader: SegmentReader
    path: str
    blocks: list[BlockInfo]

    @classmethod
    def of(cls, reader: SegmentReader, path: str) -> Facts:
        """Parses every block of a column or of vectors; raises CorruptionError."""
        return cls(reader=reader, path=path, blocks=reader.blocks())

    def of_column(self, name: str) -> list[BlockInfo]:
        """The blocks that hold rows of a column, the vector included, by row."""
        found = [block for block in self.blocks if block.column == name and block.type in _OF_COLUMNS]
        return sorted(found, key=lambda block: block.first_row)

    def tables(self) -> dict[str, Sizes]:
        """Sizes of all blocks that hold no column, by their type, in the order of the file."""
        kinds = dict.fromkeys(block.type for block in self.blocks if block.type not in _OF_COLUMNS)
        return {kind.name: Sizes.of(block for block in self.blocks if block.type is kind) for kind in kinds}

    @property
    def frame_bytes(self) -> int:
        """Bytes of the file that are in no block: headers, padding, footer, tail."""
        return self.reader.size_bytes - sum(block.stored_len for block in self.blocks)


def read_segment(path: str) -> Facts:
    """Map a file and describe it.

    Raises
    ------
    NotFoundError, StorageError
        There is no such file, or it cannot be read.
    CorruptionError, UnsupportedFormatError
        It is no segment, or a damaged or newer one.
    """
    try:
        with Path(path).open("rb") as file:
            empty = not file.seek(0, 2)
            # an empty file cannot be mapped
            data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise NotFoundError(f"no such file; path={path!r}") from error
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror or error}; path={path!r}") from error
    return Facts.of(SegmentReader(data, path), path)


def tree_text(encoding: Encoding, gap: str = " ") -> str:
    """`DICTIONARY(INTEGERS, STRINGS)`: an encoding and those inside it, with `gap` after commas."""
    children = f",{gap}".join(tree_text(child, gap) for child in encoding.children)
    return f"{encoding.name}({children})" if children else encoding.name


def tree(encoding: Encoding) -> list[Encoding]:
    """An encoding and all inside it."""
    return [encoding, *(inner for child in encoding.children for inner in tree(child))]


def most_common_tree(blocks: Iterable[BlockInfo], gap: str = " ") -> str:
    """The encoding of most rows, as `tree_text` has it; `…` after it where others occur."""
    counts: Counter[str] = Counter()
    for block in blocks:
        counts[tree_text(block.encoding, gap)] += block.n_values
    if not counts:
        return ""
    return counts.most_common(1)[0][0] + (" …" if len(counts) > 1 else "")


def width_text(encoding: Encoding) -> str:
    """`3` or `3-17`: bits of packed integers anywhere in the tree; empty where nothing is packed."""
    least = [inner.min_width for inner in tree(encoding) if inner.min_width is not None]
    most = [inner.max_width for inner in tree(encoding) if inner.max_width is not None]
    if not least or not most:
        return ""
    return str(min(least)) if min(least) == max(most) else f"{min(least)}-{max(most)}"
