"""The blocks of one segment by number, verified before their bytes are first handed out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import BlockHeader, check_stored, decode_block_header
from drift_arrow.format.block_cache import BlockCache
from drift_arrow.format.block_index import BlockIndex
from drift_arrow.format.layout import BLOCK_CACHE_BYTES, HEADER_BYTES, PAGE_BYTES, padding_bytes
from drift_arrow.format.source import FetchedFile, MappedFile


class SegmentBlocks:
    """Stored bytes of blocks.

    Parameters
    ----------
    file : MappedFile or FetchedFile
    index : BlockIndex
        Of the file, which was checked against its layout.
    uuid, path : str
        Of the file.

    Notes
    -----
    Of a mapped file every block is verified once. Of a fetched one the stored bytes are kept while there is room, and
    fetched and verified again when they are needed later. Two threads that verify the same block at once do the same
    work twice.
    """

    def __init__(self, file: MappedFile | FetchedFile, index: BlockIndex, uuid: str, path: str) -> None:
        self._file, self._index, self._uuid, self._path = file, index, uuid, path
        self._kept: BlockCache[memoryview] = BlockCache(BLOCK_CACHE_BYTES)
        self._is_trusted = False

    def trust(self) -> None:
        """Take the checksums of stored bytes for right: the digest of the whole file was."""
        self._is_trusted = True

    def start(self, number: int) -> int:
        """Offset of the stored bytes of a block."""
        return int(self._index.offsets[number]) + HEADER_BYTES

    def read(self, numbers: Sequence[int]) -> dict[int, memoryview]:
        """Stored bytes of blocks by number; what must be fetched is fetched in one request. Raises CorruptionError."""
        found = {number: stored for number in numbers if (stored := self._kept.get(number)) is not None}
        absent = [number for number in numbers if number not in found]
        if absent:
            spans = [(self.start(number) - HEADER_BYTES, self._stop(number)) for number in absent]
            for number, frame in zip(absent, self._file.read(spans), strict=True):
                found[number] = self._check(number, frame)
                # views into a map cost nothing
                self._kept.put(number, found[number], 0 if self._file.is_mapped else len(found[number]))
        return found

    def release(self, numbers: Iterable[int]) -> None:
        """Keep no page of mapped blocks in this process, whoever still reads them."""
        if not isinstance(self._file, MappedFile):
            return
        for number in numbers:
            stop = self._stop(number)
            self._file.release((self.start(number) - HEADER_BYTES, stop + padding_bytes(stop, PAGE_BYTES)))

    def header(self, number: int, frame: memoryview) -> BlockHeader:
        """The header at the start of `frame`, which must say what the index says; raises CorruptionError."""
        offset = int(self._index.offsets[number])
        header = decode_block_header(frame, self._uuid, path=self._path, offset=offset)
        if not self._index.describes(number, header):
            raise CorruptionError("block is not the one that the index names", path=self._path, offset=offset)
        return header

    def _stop(self, number: int) -> int:
        return self.start(number) + int(self._index.entries["stored_len"][number])

    def _check(self, number: int, frame: memoryview) -> memoryview:
        header = self.header(number, frame)
        if self._is_trusted:
            return frame[HEADER_BYTES:]
        stored = check_stored(frame, header, path=self._path, offset=int(self._index.offsets[number]))
        # what was fetched with its neighbours must not keep them in memory, and compiled code wants it aligned
        return stored if self._file.is_mapped else memoryview(bytes(stored))
