"""The 64 bytes that start every binary file, and end a segment.

Their shape is the same in every format version, so that an old reader can tell a newer file from a damaged one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from drift_arrow.errors import CorruptionError, InvalidArgumentError, UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.checksum import check_xxh3_64, xxh3_64
from drift_arrow.format.layout import FORMAT_VERSION, HEADER_BYTES, Buffer

_HEADER: Final = struct.Struct("<4sHH16s32sQ")
_CHECKED_BYTES: Final = HEADER_BYTES - 8

DETAIL_BYTES: Final = 32
"""Bytes of a file header whose meaning depends on its magic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """Identity of one binary file.

    Parameters
    ----------
    magic : bytes
        Four bytes of `layout` that name the kind of file.
    uuid : str
        Of the file, in the 36-character form of ``str(uuid.uuid4())``; of the collection in a WAL, of the segment in a
        tombstone file.
    detail : bytes
        Up to 32 bytes, padded with zeros, that belong to the kind of file.
    """

    magic: bytes
    uuid: str
    detail: bytes = b""

    def encode(self) -> bytes:
        """The 64 bytes of the header."""
        fields = (self.magic, FORMAT_VERSION, 0, uuid_bytes(self.uuid), self.detail)
        return _HEADER.pack(*fields, xxh3_64(_HEADER.pack(*fields, 0)[:_CHECKED_BYTES]))


def decode_file_header(data: Buffer, magic: bytes, *, path: str, offset: int = 0) -> FileHeader:
    """Read the header at the start of `data`, which is at `offset` in the file.

    Raises
    ------
    CorruptionError
        The bytes are too few, start with another magic or fail their checksum.
    UnsupportedFormatError
        The header is intact and of another format version.
    """
    raw = byte_view(data)[:HEADER_BYTES]
    if len(raw) < HEADER_BYTES:
        raise CorruptionError(f"header is cut off; size_bytes={len(raw)}", path=path, offset=offset)
    found, version, reserved, uuid, detail, checksum = _HEADER.unpack(raw)
    if found != magic:
        raise CorruptionError(f"not a {magic.decode()} header; magic={found!r}", path=path, offset=offset)
    # Before the version: a flipped version bit must not read as a newer file.
    check_xxh3_64(xxh3_64(raw[:_CHECKED_BYTES]), checksum, what="header", path=path, offset=offset)
    if version != FORMAT_VERSION or reserved:
        message = f"written by a newer format: upgrade drift_arrow; path={path!r} version={version}"
        raise UnsupportedFormatError(message)
    return FileHeader(magic=magic, uuid=str(UUID(bytes=uuid)), detail=detail)


def uuid_bytes(uuid: str) -> bytes:
    """The 16 bytes of a UUID in its 36-character form; raises InvalidArgumentError for any other spelling."""
    try:
        parsed = UUID(uuid)
    except ValueError as err:
        raise InvalidArgumentError(f"not a UUID; got={uuid!r}") from err
    # One spelling only: UUIDs are compared as strings above this floor.
    if str(parsed) != uuid:
        raise InvalidArgumentError(f"write a UUID in its 36-character lower-case form; got={uuid!r}")
    return parsed.bytes
