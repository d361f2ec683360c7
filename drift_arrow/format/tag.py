"""A name for one version <-> one line of digest and one line of canonical JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from drift_arrow.format.canonical_json import dump_json
from drift_arrow.format.layout import FORMAT_VERSION, MAX_TAG_BYTES, TAG_KIND, Buffer
from drift_arrow.format.sealed_json import seal, unseal

_DIGEST: Final = "[0-9a-f]{32}"
_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

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
        return seal(body, MAX_TAG_BYTES, what="a tag", remedy="use a shorter name")


def decode_tag(data: Buffer, path: str) -> Tag:
    """Read the bytes of a tag's file.

    Raises
    ------
    CorruptionError
        They are too many, fail their digest, or say something that no writer says.
    UnsupportedFormatError
        A newer version wrote them.
    """
    fields = unseal(data, MAX_TAG_BYTES, what="tag", kind=TAG_KIND, path=path)
    fields.only(*Tag.__dataclass_fields__, "kind", "format_version")
    return Tag(
        name=fields.text("name", TAG_NAME),
        version=fields.integer("version", 1),
        manifest_digest=fields.text("manifest_digest", _DIGEST),
        created_ns=fields.long_integer("created_ns"),
        collection_uuid=UUID(fields.text("collection_uuid", _UUID)),
    )
