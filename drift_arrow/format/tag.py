"""A name for one version <-> one line of digest and one line of canonical JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.canonical_json import check_version, dump_json, load_json
from drift_arrow.format.checksum import check_xxh3_128, xxh3_128
from drift_arrow.format.layout import FORMAT_VERSION, MAX_TAG_BYTES, TAG_KIND, Buffer

_DIGEST: Final = "[0-9a-f]{32}"
_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PREFIX_BYTES: Final = 33  # digest and line feed

TAG_NAME: Final = "[a-z0-9][a-z0-9._-]{0,62}"
"""Pattern of a tag's name, which is part of the name of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A version that is kept under a name.

    Parameters
    ----------
    name : str
        Matches `TAG_NAME`.
    version : int
        From 1.
    manifest_digest : str
        `Manifest.digest` of that version: the tag never means another one.
    created_ns : int
        Wall clock, nanoseconds since 1970 UTC.
    collection_uuid : UUID
        A tag that was copied from another collection is refused.
    """

    name: str
    version: int
    manifest_digest: str
    created_ns: int
    collection_uuid: UUID

    def encode(self) -> bytes:
        """The bytes of the tag's file."""
        body = dump_json(
            {
                "kind": TAG_KIND,
                "format_version": FORMAT_VERSION,
                "name": self.name,
                "version": self.version,
                "manifest_digest": self.manifest_digest,
                "created_ns": str(self.created_ns),
                "collection_uuid": str(self.collection_uuid),
            }
        )
        return b"%s\n%s\n" % (xxh3_128(body).encode("ascii"), body)


def decode_tag(data: Buffer, path: str) -> Tag:
    """Read the bytes of a tag's file.

    Raises
    ------
    CorruptionError
        They are too many, fail their digest, or say something that no writer says.
    UnsupportedFormatError
        A newer version wrote them.
    """
    raw = byte_view(data)
    if not _PREFIX_BYTES < len(raw) <= MAX_TAG_BYTES:
        raise CorruptionError(f"not the size of a tag; size_bytes={len(raw)}", path=path, offset=0)
    if raw[_PREFIX_BYTES - 1] != ord("\n") or raw[-1] != ord("\n"):
        raise CorruptionError("a tag has two lines", path=path, offset=0)
    body = raw[_PREFIX_BYTES:-1]
    digest = str(raw[: _PREFIX_BYTES - 1], "ascii", "replace")
    check_xxh3_128(body, digest, what="tag", path=path, offset=_PREFIX_BYTES)
    fields = load_json(body, MAX_TAG_BYTES, path=path, offset=_PREFIX_BYTES)
    check_version(fields, TAG_KIND)
    fields.only(*Tag.__dataclass_fields__, "kind", "format_version")
    return Tag(
        name=fields.text("name", TAG_NAME),
        version=fields.integer("version", 1),
        manifest_digest=fields.text("manifest_digest", _DIGEST),
        created_ns=fields.long_integer("created_ns"),
        collection_uuid=UUID(fields.text("collection_uuid", _UUID)),
    )
