"""Small files of their own: one line of digest, and one line of canonical JSON."""

from __future__ import annotations

from typing import Final

from drift_arrow.errors import CorruptionError, LimitExceededError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.canonical_json import Fields, check_version, load_json
from drift_arrow.format.checksum import check_xxh3_128, xxh3_128
from drift_arrow.format.layout import Buffer

_PREFIX_BYTES: Final = 33  # digest and line feed


def seal(body: bytes, limit: int, *, what: str, remedy: str) -> bytes:
    """The bytes of a file.

    Parameters
    ----------
    body : bytes
        Canonical JSON.
    limit : int
        Most bytes of the file.
    what, remedy : str
        Name of such files, and what to do about one that is too large.

    Raises
    ------
    LimitExceededError
        It is too large.
    """
    sealed = b"%s\n%s\n" % (xxh3_128(body).encode("ascii"), body)
    if len(sealed) > limit:
        raise LimitExceededError(f"{what} is too large: {remedy}; size_bytes={len(sealed)} limit={limit}")
    return sealed


def unseal(data: Buffer, limit: int, *, what: str, kind: str, path: str) -> Fields:
    """The object in a file of that kind.

    Raises
    ------
    CorruptionError
        The file is too large, fails its digest, or holds no canonical JSON of that kind.
    UnsupportedFormatError
        A newer version wrote it.
    """
    raw = byte_view(data)
    if not _PREFIX_BYTES < len(raw) <= limit:
        raise CorruptionError(f"not the size of a {what}; size_bytes={len(raw)}", path=path, offset=0)
    if raw[_PREFIX_BYTES - 1] != ord("\n") or raw[-1] != ord("\n"):
        raise CorruptionError(f"a {what} has two lines", path=path, offset=0)
    body = raw[_PREFIX_BYTES:-1]
    digest = str(raw[: _PREFIX_BYTES - 1], "ascii", "replace")
    check_xxh3_128(body, digest, what=what, path=path, offset=_PREFIX_BYTES)
    fields = load_json(body, limit, path=path, offset=_PREFIX_BYTES)
    check_version(fields, kind)
    return fields
